// The linear blend of Blender's Armature modifier between the head bone and the ground.
void main()
{
  vec3 turned = (head * vec4(position, 1.0)).xyz;
  vec3 moved = mix(position, turned, head_weight);
  texture_place = uv;
  texture_layer = layer;
  gl_Position = projection * vec4(moved, 1.0);
}
