// All textures are read before the choice: inside a branch the hardware could not tell how large a pixel is.
void main()
{
  vec4 face = texture(portrait, texture_place);
  vec4 inside = texture(mouth, texture_place);
  vec4 eye = texture(eyes, texture_place);
  colour = texture_layer < 0.5 ? face : texture_layer < 1.5 ? inside : eye;
}
