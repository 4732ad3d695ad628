"""The programs that run on the card. A look's own GLSL takes the place of FINISH, see looks/__init__.py."""

from __future__ import annotations

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.gpu.inside_textures import LAYERS
from visualizer.stage.grain import MOAT, STEEP
from visualizer.stage.inside import SHARE
from visualizer.stage.lamps import (
    BEAM_EDGE,
    BEAM_FOOT,
    BEAM_NARROWING,
    MIRROR_FADE,
    MIRRORED,
    POOL,
    POOL_LIGHT,
    REACH,
)
from visualizer.stage.looks import BAND, LEVELS

MOST = 16  # dancers on the stage at once

# `stage` is in frame widths: x from the middle, y down from the frame's upper edge.
PICTURE = f"""
#version 330
#define FLOOR {FLOOR}
#define BAND {BAND}
const int SIZE = {FRAME_SIZE};
uniform sampler2DArray field;
uniform int dancers;
uniform vec3 places[{MOST}];  // left and upper edge and side of each frame, the farthest first
uniform bool rows;
uniform vec2 extent;     // of the window, frame widths
uniform float top;       // of the window, frame widths below the frame's upper edge
uniform vec2 size;       // pixels
uniform sampler2D figure_ramp, effects_ramp, palette, effects, map, grain;
uniform float reach, beat, rough;
uniform bool has_effects;
out vec4 pixel;

vec4 weights(float t) {{  // cubic convolution, a = -1/2 (Keys, 1981)
    float t2 = t * t, t3 = t2 * t;
    vec2 rising = vec2(-1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2);
    return vec4(-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, rising);
}}
vec4 smooth_weights(float t) {{  // the cubic B-spline
    float t2 = t * t, t3 = t2 * t, s = 1.0 - t;
    return vec4(s * s * s, 3.0 * t3 - 6.0 * t2 + 4.0, 3.0 * (t + t2 - t3) + 1.0, t3) / 6.0;
}}
float one_distance(int k, vec2 stage) {{
    vec2 uv = (stage - places[k].xy) / places[k].z;
    if (any(lessThan(uv, vec2(0.0))) || any(greaterThan(uv, vec2(1.0)))) return BAND;
    vec2 at = uv * float(SIZE) - 0.5, base = floor(at);
    vec4 across = weights(at.x - base.x), down = weights(at.y - base.y);
    float sum = 0.0;
    for (int j = 0; j < 4; j++) {{
        vec4 row;
        for (int i = 0; i < 4; i++) {{
            ivec2 cell = clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), ivec2(SIZE - 1));
            row[i] = texelFetch(field, ivec3(cell, k), 0).r;
        }}
        sum += down[j] * dot(row, across);
    }}
    return sum;
}}
float figure_distance(vec2 stage) {{
    float nearest = BAND;
    for (int k = 0; k < dancers; k++) {{
        float d = one_distance(k, stage);
        if (rows) nearest = max(nearest, ({MOAT} - d) * {STEEP});  // dancers behind end a little before
        nearest = min(nearest, d);
    }}
    return nearest;
}}
float effects_at(vec2 stage) {{
    ivec2 cells = textureSize(effects, 0);
    vec2 at = ((stage - vec2(0.0, top)) / extent + vec2(0.5, 0.0)) * vec2(cells) - 0.5, base = floor(at);
    vec4 across = smooth_weights(at.x - base.x), down = smooth_weights(at.y - base.y);
    float sum = 0.0;
    for (int j = 0; j < 4; j++) {{
        vec4 row;
        for (int i = 0; i < 4; i++) {{
            ivec2 cell = clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), cells - 1);
            row[i] = texelFetch(effects, cell, 0).r;
        }}
        sum += down[j] * dot(row, across);
    }}
    return sum;
}}
vec4 look_up(sampler2D ramp, float level) {{
    return texture(ramp, vec2((clamp(level, 0.0, 1.0) * {LEVELS - 1}.0 + 0.5) / {LEVELS}.0, 0.5));
}}
vec4 figure_colour(float d) {{
    return look_up(figure_ramp, (reach - d) / (2.0 * reach));
}}
INSIDE
FINISH
void main() {{
    vec2 uv = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size;
    vec2 stage = (uv - vec2(0.5, 0.0)) * extent + vec2(0.0, top);
    float shift = rough > 0.0 ? rough * texelFetch(grain, ivec2(uv * vec2(textureSize(grain, 0))), 0).r : 0.0;
    int number = int(texelFetch(map, ivec2(uv * vec2(textureSize(map, 0))), 0).r * 255.0 + 0.5);
    vec3 colour = texelFetch(palette, ivec2(number, 0), 0).rgb;
    if (has_effects) {{
        vec4 light = look_up(effects_ramp, effects_at(stage));
        colour = min(colour * (1.0 - light.a) + light.rgb, 1.0);
    }}
    colour = finish(draw_dancers(colour, stage, shift), stage);
    // Noise of half a level hides the steps of dark gradients on an 8-bit screen.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    pixel = vec4(colour + (has_effects ? noise / 255.0 : 0.0), 1.0);
}}
"""
# What is put for INSIDE: dancers by their outline alone,
OUTLINES = """
vec3 draw_dancers(vec3 colour, vec2 stage, float shift) {
    float d = figure_distance(stage);
    if (rough > 0.0) d = clamp(d, rough - reach, reach - rough) - shift;
    vec4 figure = figure_colour(d);
    return colour * (1.0 - figure.a) + figure.rgb;
}
"""
# or each with what is inside of it, the farthest first; see inside_textures.py for what the cells are.
INSIDES = f"""
uniform sampler2DArray cells, shades;
uniform sampler2D strokes, kept, pattern;
uniform vec3 span;       // frame widths: outermost and innermost of the outline, farthest of the creases
uniform float seams, seam_slope;
uniform bool has_parts, has_pattern;
uniform float beam, mirror;
uniform vec3 lamps[{MOST}];
uniform ivec2 corners[{MOST}];  // pixels: the upper left corner of each frame
vec4 sum_cells(int layer, ivec2 base, vec4 across, vec4 down) {{
    vec4 sum = vec4(0.0);
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {{
            ivec2 cell = clamp(base + ivec2(i - 1, j - 1), ivec2(0), ivec2(SIZE - 1));
            sum += down[j] * across[i] * texelFetch(cells, ivec3(cell, layer), 0);
        }}
    return sum;
}}
vec4 draw_one(int k, vec2 stage, float shift) {{  // premultiplied
    vec2 uv = (stage - places[k].xy) / places[k].z;
    if (any(lessThan(uv, vec2(0.0))) || any(greaterThan(uv, vec2(1.0)))) return vec4(0.0);
    vec2 at = uv * float(SIZE) - 0.5, base = floor(at);
    vec4 across = weights(at.x - base.x), down = weights(at.y - base.y);
    vec4 numbers = sum_cells({LAYERS} * k, ivec2(base), across, down);
    float d = numbers.x - shift;
    if (d > span.x) return vec4(0.0);
    int part = 0;
    float crease = numbers.y;
    if (has_parts) {{
        vec4 a = sum_cells({LAYERS} * k + 1, ivec2(base), across, down);
        vec4 b = sum_cells({LAYERS} * k + 2, ivec2(base), across, down);
        float shares[5] = float[5](a.x, a.y, a.z, a.w, b.x);
        float most = 0.0;
        for (int i = 0; i < 5; i++)
            if (shares[i] > most) {{
                most = shares[i];
                part = i + 1;
            }}
        if (most < {SHARE}) part = 0;
        if (b.y > {SHARE}) part = 6;
        if (seams > 0.0)
            crease = min(crease, abs(most - {SHARE}) * seam_slope + (1.0 - seams) * span.z);
    }}
    float second = numbers.w;
    if (has_pattern) {{
        ivec2 pixel = ivec2(gl_FragCoord.x, size.y - gl_FragCoord.y) - corners[k];
        second = texelFetch(pattern, clamp(pixel, ivec2(0), textureSize(pattern, 0) - 1), 0).r;
    }}
    vec3 shade = texture(shades, vec3(numbers.z, second, float(k * 8 + part))).rgb;
    vec2 level = clamp(vec2((span.x - d) / (span.x - span.y), crease / span.z), 0.0, 1.0);
    vec2 counts = vec2(textureSize(strokes, 0));
    level = (level * (counts - 1.0) + 0.5) / counts;
    vec4 stroke = texture(strokes, level);
    return vec4(min(shade * texture(kept, level).r + stroke.rgb, 1.0), stroke.a);
}}
float lamp_light(vec2 at) {{  // of a beam, from the foot of its dancer
    vec2 reach = vec2({REACH[0]}, {REACH[1]});
    if (abs(at.x) > reach.x || at.y > reach.y) return 0.0;
    float wide = max({BEAM_FOOT} + {BEAM_NARROWING} * at.y, 0.04);
    float light = exp(-pow(abs(at.x / wide), {BEAM_EDGE})) * clamp(-at.y / 0.03, 0.0, 1.0);
    light *= clamp(0.55 - 0.45 * at.y, 0.0, 1.0);
    vec2 pool = at / vec2({POOL[0]}, {POOL[1]});
    light = max(light, {POOL_LIGHT} * exp(-dot(pool, pool)));
    return light * clamp((reach.x - abs(at.x)) / 0.03, 0.0, 1.0) * clamp((reach.y - at.y) / 0.02, 0.0, 1.0);
}}
vec3 draw_dancers(vec3 colour, vec2 stage, float shift) {{
    for (int k = 0; k < dancers; k++) {{
        vec2 foot = vec2(places[k].x + 0.5 * places[k].z, places[k].y + FLOOR * places[k].z);
        if (beam > 0.0) colour = min(colour + beam * lamps[k] * lamp_light(stage - foot), 1.0);
        float below = (stage.y - foot.y) / places[k].z;
        if (mirror > 0.0 && below > 0.0 && below < {MIRRORED}) {{
            vec4 mirrored = draw_one(k, vec2(stage.x, 2.0 * foot.y - stage.y), shift);
            mirrored *= mirror * exp(-below / {MIRROR_FADE});
            colour = min(colour * (1.0 - mirrored.a) + mirrored.rgb, 1.0);
        }}
        vec4 one = draw_one(k, stage, shift);
        colour = min(colour * (1.0 - one.a) + one.rgb, 1.0);
    }}
    return colour;
}}
"""
NO_FINISH = "vec3 finish(vec3 colour, vec2 stage) { return colour; }"

PIECE = """
#version 330
in vec2 corner;
in vec3 colour;
out vec3 tone;
void main() { tone = colour; gl_Position = vec4(corner, 0.0, 1.0); }
"""
PIECE_COLOUR = """
#version 330
in vec3 tone;
out vec4 pixel;
void main() { pixel = vec4(tone, 1.0); }
"""

OVERLAY = """
#version 330
uniform sampler2D writing;
uniform vec2 size;
uniform float cover;
out vec4 pixel;
void main() { pixel = texture(writing, vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size) * vec4(1, 1, 1, cover); }
"""
