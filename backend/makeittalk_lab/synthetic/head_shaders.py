"""GLSL programs that draw the head, its shadow map and what is behind it."""

from __future__ import annotations

SHADOW_SIZE = 512  # px, side of the shadow map
HEAD_VERTEX = """
#version 330
uniform mat4 camera;
uniform mat4 light;
in vec3 position; in vec3 normal; in float ambient;
in vec3 rest; in vec2 uv; in float hair; in float inside;
out vec3 at; out vec3 facing; out vec3 still; out vec4 lit; out float open_sky; out vec2 coordinates;
out float growth; out float wet;
void main() {
    gl_Position = camera * vec4(position, 1.0);
    at = position; facing = normal; still = rest; open_sky = ambient; coordinates = uv; growth = hair; wet = inside;
    lit = light * vec4(position, 1.0);
}
"""
#: Its parts are compiled apart: `PART` stands for the kind of the surface.
HEAD_FRAGMENT = """
#version 330
uniform sampler2D front; uniform sampler2D grain; uniform sampler2DShadow shadow;
uniform vec4 cover; uniform vec3 eye_point; uniform vec3 key_direction; uniform vec3 key; uniform vec3 fill_direction;
uniform vec3 fill; uniform vec3 sky; uniform vec3 ground; uniform float gloss; uniform float exposure;
uniform vec3 hair_colour; uniform vec3 iris_colour; uniform vec3 rim_colour; uniform vec3 white; uniform float pupil;
uniform vec3 tooth; uniform vec3 gum; uniform vec3 cloth_colour; uniform vec3 cloth_other; uniform float cloth_kind;
uniform vec3 gaze_right; uniform vec3 gaze_left; uniform vec3 ball; uniform float lashes;
in vec3 at; in vec3 facing; in vec3 still; in vec4 lit; in float open_sky; in vec2 coordinates;
in float growth; in float wet;
out vec4 result;

vec3 linear(vec3 c) { return pow(c, vec3(2.2)); }

float sunlit(vec3 n) {
    vec3 p = lit.xyz / lit.w * 0.5 + 0.5;
    float slope = 1.0 - clamp(dot(n, key_direction), 0.0, 1.0);
    float sum = 0.0;
    for (int i = 0; i < 4; i++)  // each the mean of four
        sum += texture(shadow, vec3(p.xy + (vec2(i & 1, i >> 1) * 2.4 - 1.2) / SHADOW, p.z - 0.006 - 0.012 * slope));
    return sum / 4.0;
}

void main() {
    vec3 n = normalize(facing);
    vec3 to_eye = normalize(eye_point - at);
#if PART >= 4
    if (dot(n, to_eye) < 0.0) n = -n;
#endif
    float rough = texture(grain, still.xy * 0.11 + still.z * 0.017).r;
    float fine = texture(grain, still.xy * 0.43 + still.z * 0.06).g;
    vec3 albedo; vec3 soft = vec3(0.0); float shine = 0.0; float power = 20.0; float alpha = 1.0;
    float sky_light = open_sky;
#if PART == 0
    vec2 where = (still.xy - cover.xz) / (cover.yw - cover.xz);
    albedo = linear(texture(front, where).rgb) * (0.90 + 0.2 * fine);
    soft = vec3(0.32, 0.13, 0.08);
    shine = gloss * (0.5 + rough) * 0.35; power = 14.0;
    vec3 flesh = gum * 0.75;
    albedo = mix(albedo, flesh, wet);
    shine = mix(shine, 0.25, wet); power = mix(power, 40.0, wet);
    // Strands run down and away from the crown.
    float around = atan(still.x, still.z + 1.0);
    float strand = texture(grain, vec2(around * 2.3, still.y * 0.035 + length(still.xz) * 0.02)).b;
    float lock_ = texture(grain, vec2(around * 0.35, still.y * 0.02)).r;
    float grown = smoothstep(0.0, 0.5, growth + 1.1 * (strand - 0.5) + 0.6 * (lock_ - 0.5));
    vec3 hair = hair_colour * (0.35 + 0.9 * strand) * (0.6 + 0.8 * lock_);
    albedo = mix(albedo, hair, grown);
    soft *= 1.0 - grown; shine = mix(shine, 0.12 * strand, grown); power = mix(power, 10.0, grown);
#elif PART == 1
    albedo = gum * (0.85 + 0.3 * fine); soft = vec3(0.2, 0.05, 0.05); shine = 0.35; power = 45.0;
#elif PART == 2
    float root = max(smoothstep(-2.45, -2.0, still.y), smoothstep(-4.3, -4.8, still.y));
    albedo = mix(tooth * 1.1 * (0.93 + 0.1 * rough), gum, root);
    soft = vec3(0.25, 0.22, 0.18); shine = 0.35; power = 60.0;
#elif PART == 3
    vec3 centre = vec3(still.x < 0.0 ? -ball.x : ball.x, ball.yz);
    vec3 way = normalize(still - centre);
    vec3 axis = still.x < 0.0 ? gaze_right : gaze_left;
    float angle = acos(clamp(dot(way, axis), -1.0, 1.0));
    float turn = atan(way.y - axis.y, way.x - axis.x);
    float rays = texture(grain, vec2(turn * 1.6, angle * 0.4)).b;
    vec3 iris = mix(iris_colour, rim_colour, smoothstep(0.22, 0.40, angle)) * (0.55 + 0.9 * rays);
    vec3 veins = mix(vec3(1.0), vec3(1.0, 0.75, 0.7), smoothstep(0.6, 1.1, angle) * rough);
    albedo = mix(iris, white * veins, smoothstep(0.395, 0.455, angle));
    albedo *= smoothstep(pupil - 0.03, pupil + 0.03, angle) * 0.98 + 0.02;
    // Lids shade the ball that they lie on.
    sky_light = open_sky * 0.35 + 0.5 * (0.35 + 0.65 * smoothstep(0.75, 0.1, abs(way.y + 0.05)));
    shine = 1.6; power = 260.0; soft = vec3(0.15);
#elif PART == 4
    // `growth` is how far from the lid a lash has come.
    albedo = hair_colour * 0.12; alpha = lashes * (1.0 - 0.85 * growth) * (still.y < ball.y - 0.15 ? 0.25 : 0.8);
#elif PART == 5
    float stripe = cloth_kind < 1.0 ? rough : cloth_kind < 2.0 ? step(0.5, fract(still.y * 0.4))
        : step(0.5, fract(still.x * 0.3)) * 0.6 + 0.4 * step(0.5, fract(still.y * 0.3));
    albedo = mix(cloth_colour, cloth_other, stripe) * (0.8 + 0.4 * fine);
    soft = vec3(0.1);
#else
    float strand = texture(grain, vec2(coordinates.x * 5.0, coordinates.y * 0.25)).b;
    float lock_ = texture(grain, vec2(coordinates.x * 0.8, coordinates.y * 0.1)).r;
    albedo = hair_colour * (0.3 + 0.9 * strand) * (0.6 + 0.8 * lock_); shine = 0.1 * strand; power = 10.0;
#endif
    // Little light comes back from the depth of the mouth; it is scattered among teeth and lips.
    float depth = mix(0.12, 1.0, smoothstep(5.0, 10.0, still.z));
    float shade = sunlit(n);
#if PART == 1 || PART == 2
    sky_light *= depth;
    shade = mix(shade, 1.0, 0.25) * depth;
#elif PART == 0
    sky_light *= mix(1.0, depth, wet);
#endif
    float straight = dot(n, key_direction);
    vec3 wrapped = clamp((vec3(straight) + soft) / (1.0 + soft), 0.0, 1.0);
    // Light that enters skin leaves it past the edge of a shadow, reddened.
    vec3 through = mix(vec3(shade), vec3(sqrt(shade)), soft * 2.0);
    vec3 light_in = key * wrapped * wrapped * through * (0.35 + 0.65 * smoothstep(0.0, 0.35, sky_light));
    float other = dot(n, fill_direction);
    light_in += fill * clamp((other + 0.3) / 1.3, 0.0, 1.0) * sky_light;
    light_in += mix(ground, sky, n.y * 0.5 + 0.5) * sky_light;
    vec3 colour = albedo * light_in;
    vec3 half_way = normalize(key_direction + to_eye);
    float glint = pow(max(dot(n, half_way), 0.0), power) * shade * smoothstep(-0.1, 0.2, straight);
    vec3 half_fill = normalize(fill_direction + to_eye);
    float glint_fill = pow(max(dot(n, half_fill), 0.0), power);
    float edge = 0.35 + 0.65 * pow(1.0 - max(dot(n, to_eye), 0.0), 4.0);
    float seen = smoothstep(0.05, 0.5, sky_light);
    colour += shine * edge * seen * (key * glint + fill * glint_fill);
    colour *= exposure;
    colour = colour * (1.0 + colour * 0.15) / (1.0 + colour * 0.45);
    result = vec4(pow(max(colour, 0.0), vec3(1.0 / 2.2)), alpha);
}
""".replace("SHADOW", f"{SHADOW_SIZE}.0")
DEPTH_VERTEX = """
#version 330
uniform mat4 camera;
in vec3 position;
void main() { gl_Position = camera * vec4(position, 1.0); }
"""
DEPTH_FRAGMENT = """
#version 330
void main() {}
"""
BACKDROP_VERTEX = """
#version 330
in vec2 corner;
out vec2 coordinates;
void main() { coordinates = corner * 0.5 + 0.5; gl_Position = vec4(corner, 0.0, 1.0); }
"""
BACKDROP_FRAGMENT = """
#version 330
uniform sampler2D backdrop;
in vec2 coordinates;
out vec4 result;
void main() { result = texture(backdrop, coordinates); }
"""
