// Both textures are read before the choice: inside a branch the hardware could not tell how large a pixel is.
void main()
{
  vec4 face = texture(portrait, texture_place);
  vec4 inside = texture(mouth, texture_place);
  colour = texture_layer < 0.5 ? face : inside;
}
