// Depth, instance, face and corner weights of one row that was rasterised. Body of a function that Warp compiles for the CPU;
// its arguments are those of `resolve_row` in visibility_raster.py.

typedef float f8 __attribute__((ext_vector_type(8)));
typedef int i8 __attribute__((ext_vector_type(8)));
typedef float f8_loose __attribute__((ext_vector_type(8), aligned(4)));
typedef int i8_loose __attribute__((ext_vector_type(8), aligned(4)));
typedef wp::vec_t<3, wp::float32> Point;
typedef wp::mat_t<3, 3, wp::float32> Turn;

struct Vector {
    f8 x, y, z;
};
auto plus = [](const Vector& a, const Vector& b) -> Vector { return {a.x + b.x, a.y + b.y, a.z + b.z}; };
auto minus = [](const Vector& a, const Vector& b) -> Vector { return {a.x - b.x, a.y - b.y, a.z - b.z}; };
auto cross = [](const Vector& a, const Vector& b) -> Vector {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
};
auto dot = [](const Vector& a, const Vector& b) -> f8 { return a.x * b.x + a.y * b.y + a.z * b.z; };

const int stride = (width + 7) / 8 * 8 + 8;
const int* seen = scratch.seen.data + row * stride;
const float* across = scratch.across.data;
const float y = scratch.down.data[row];
const Vector ahead = {rotation.data[0][2], rotation.data[1][2], rotation.data[2][2]};
for (int column = 0; column < width; column += 8) {
    const i8 marks = *(const i8_loose*)(seen + column);
    Vector corner[3];
    i8 face, instance;
    bool same = true;
    for (int lane = 1; lane < 8; ++lane) same &= marks[lane] == marks[0];
    auto fetch = [&](int slot, int index) -> Point {
        const float* soup = clusters.soup.data + (slot >> 3) * 72 + (slot & 7) + index * 24;
        Point point(soup[0], soup[8], soup[16]);
        const int body = clusters.slot_body.data[slot];
        if (body > 0) point = wp::mul(clusters.body_rotation.data[body], point) + clusters.body_shift.data[body];
        return point - origin;
    };
    if (same) {
        const int slot = marks[0] < 0 ? 0 : marks[0];
        for (int index = 0; index < 3; ++index) {
            const Point point = fetch(slot, index);
            corner[index] = {f8(point[0]), f8(point[1]), f8(point[2])};
        }
        face = i8(clusters.slot_face.data[slot]);
        instance = i8(clusters.slot_instance.data[slot]);
    } else {
        for (int lane = 0; lane < 8; ++lane) {
            const int slot = marks[lane] < 0 ? 0 : marks[lane];
            for (int index = 0; index < 3; ++index) {
                const Point point = fetch(slot, index);
                corner[index].x[lane] = point[0];
                corner[index].y[lane] = point[1];
                corner[index].z[lane] = point[2];
            }
            face[lane] = clusters.slot_face.data[slot];
            instance[lane] = clusters.slot_instance.data[slot];
        }
    }
    const f8 x = *(const f8_loose*)(across + column);
    const Vector ray = {
        rotation.data[0][0] * x + (rotation.data[0][1] * y + rotation.data[0][2]),
        rotation.data[1][0] * x + (rotation.data[1][1] * y + rotation.data[1][2]),
        rotation.data[2][0] * x + (rotation.data[2][1] * y + rotation.data[2][2]),
    };
    const f8 zero = 0.0f, one = 1.0f;
    f8 a = dot(cross(plus(corner[1], corner[2]), minus(corner[2], corner[1])), ray);
    f8 b = dot(cross(plus(corner[2], corner[0]), minus(corner[0], corner[2])), ray);
    f8 c = dot(cross(plus(corner[0], corner[1]), minus(corner[1], corner[0])), ray);
    // Rounding can leave a weight of a sliver just below zero.
    const f8 sign = a + b + c < 0.0f ? -one : one;
    a = a * sign > 0.0f ? a * sign : zero;
    b = b * sign > 0.0f ? b * sign : zero;
    c = c * sign > 0.0f ? c * sign : zero;
    const f8 sum = a + b + c;
    const f8 share = 1.0f / (sum > 0.0f ? sum : one);
    const f8 u = sum > 0.0f ? a * share : one;
    const f8 v = b * share;
    const f8 depth = u * dot(corner[0], ahead) + v * dot(corner[1], ahead) + (c * share) * dot(corner[2], ahead);
    const i8 hit = marks >= 0;
    *(f8_loose*)(scratch.row_u.data + column) = u;
    *(f8_loose*)(scratch.row_v.data + column) = v;
    *(f8_loose*)(scratch.row_depth.data + column) = hit ? depth : zero;
    *(i8_loose*)(scratch.row_face.data + column) = hit ? face : i8(-1);
    *(i8_loose*)(scratch.row_instance.data + column) = hit ? instance : i8(0);
}
