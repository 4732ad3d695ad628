// The floor is wet: under the floor line the tube is seen again, upside down, rippled and fading.
vec3 finish(vec3 colour, vec2 stage) {
    float depth = stage.y - FLOOR;
    if (depth <= 0.0) return colour;
    float ripple = 0.0035 * sin(190.0 * depth + 6.2832 * beat / 4.0) * smoothstep(0.0, 0.05, depth);
    vec4 tube = figure_colour(figure_distance(vec2(stage.x + ripple, FLOOR - depth)));
    return colour + 0.30 * exp(-depth / 0.05) * tube.rgb;
}
