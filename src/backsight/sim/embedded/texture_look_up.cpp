// The light between four texels of one mip level. Body of a function that Warp compiles; its arguments are those of
// `between_texels` in texture_look_up.py.

#if defined(__CUDA_ARCH__)
float light[3];
for (int channel = 0; channel < 3; ++channel) {
    auto linear = [&](wp::uint32 word) -> float {
        const float root = (float)((word >> (10 * channel)) & 1023u);
        return root * root * (1.0f / (1023.0f * 1023.0f));
    };
    const float upper = linear(upper_left) * (1.0f - right) + linear(upper_right) * right;
    const float lower = linear(lower_left) * (1.0f - right) + linear(lower_right) * right;
    light[channel] = upper * (1.0f - bottom) + lower * bottom;
}
return wp::vec_t<3, wp::float32>(light[0], light[1], light[2]);
#else
// The channels are lanes of one register. Nothing is fused, as nothing is where Warp writes the sums.
_Pragma("clang fp contract(off)")
typedef float f4 __attribute__((ext_vector_type(4)));
typedef unsigned u4 __attribute__((ext_vector_type(4)));
auto linear = [&](wp::uint32 word) -> f4 {
    _Pragma("clang fp contract(off)")
    const u4 shift = {0u, 10u, 20u, 30u};
    const f4 root = __builtin_convertvector((u4(word) >> shift) & 1023u, f4);
    return root * root * (1.0f / (1023.0f * 1023.0f));
};
const f4 upper = linear(upper_left) * (1.0f - right) + linear(upper_right) * right;
const f4 lower = linear(lower_left) * (1.0f - right) + linear(lower_right) * right;
const f4 light = upper * (1.0f - bottom) + lower * bottom;
return wp::vec_t<3, wp::float32>(light.x, light.y, light.z);
#endif
