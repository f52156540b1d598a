// Which triangle each pixel of some rows sees. Body of a function that Warp compiles for the CPU; its arguments are those
// of `rasterise` in visibility_raster.py. Eight triangles are set up, and eight pixels tried, at a time.
//
// A triangle of corners a, b, c relative to the camera covers the ray d where d . (a + b) x (b - a) and its two like have the
// same sign. Swapping a and b changes the sign of that product and no other bit, so that triangles which share an edge leave
// no gap, and no clipping at a near plane is needed: what lies behind the camera has the opposite sign.
// Source: Olano and Greer, Triangle scan conversion using 2D homogeneous coordinates, 1997.

typedef float f8 __attribute__((ext_vector_type(8)));
typedef int i8 __attribute__((ext_vector_type(8)));
typedef float f8_loose __attribute__((ext_vector_type(8), aligned(4)));
typedef int i8_loose __attribute__((ext_vector_type(8), aligned(4)));
typedef wp::vec_t<3, wp::float32> Point;
typedef wp::mat_t<3, 3, wp::float32> Turn;
typedef bool b8 __attribute__((ext_vector_type(8)));

const float NEAR_M = 0.01f;
const float MARGIN_PX = 1.0f / 64.0f;
const float FAR_AWAY = 1.0e30f;
const int BUCKETS = 512;
const int TILE = 8;

struct Vector {
    f8 x, y, z;
};
auto load = [](const float* at) -> f8 { return *(const f8_loose*)at; };
auto bits = [](i8 mask) -> unsigned {
    b8 flags = __builtin_convertvector(mask, b8);
    unsigned char byte;
    __builtin_memcpy(&byte, &flags, 1);
    return byte;
};
auto all = [&](i8 mask) -> bool { return bits(mask) == 255u; };
auto smaller = [](f8 a, f8 b) -> f8 { return a < b ? a : b; };
auto larger = [](f8 a, f8 b) -> f8 { return a > b ? a : b; };
auto least = [](f8 a) -> float {
    float low = a[0];
    for (int lane = 1; lane < 8; ++lane) low = a[lane] < low ? a[lane] : low;
    return low;
};
auto greatest = [](f8 a) -> float {
    float high = a[0];
    for (int lane = 1; lane < 8; ++lane) high = a[lane] > high ? a[lane] : high;
    return high;
};
auto plus = [](const Vector& a, const Vector& b) -> Vector { return {a.x + b.x, a.y + b.y, a.z + b.z}; };
auto minus = [](const Vector& a, const Vector& b) -> Vector { return {a.x - b.x, a.y - b.y, a.z - b.z}; };
auto cross = [](const Vector& a, const Vector& b) -> Vector {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
};
// The camera as the body sees it whose triangles are drawn; body 0 never moved.
Turn turn = rotation;
Point eye = origin;
auto look_at_body = [&](int body) {
    if (body == 0) {
        turn = rotation;
        eye = origin;
        return;
    }
    const Turn back = wp::transpose(clusters.body_rotation.data[body]);
    turn = wp::mul(back, rotation);
    eye = wp::mul(back, origin - clusters.body_shift.data[body]);
};
auto in_camera = [&](f8 x, f8 y, f8 z) -> Vector {
    x -= eye[0];
    y -= eye[1];
    z -= eye[2];
    return {
        turn.data[0][0] * x + turn.data[1][0] * y + turn.data[2][0] * z,
        turn.data[0][1] * x + turn.data[1][1] * y + turn.data[2][1] * z,
        turn.data[0][2] * x + turn.data[1][2] * y + turn.data[2][2] * z,
    };
};
auto clamped = [](float value, float low, float high) -> int {
    return (int)(value < low ? low : (value > high ? high : value));
};

const int rows = row_end - row_begin;
const int tile_columns = (width + TILE - 1) / TILE;
const int tile_rows = (rows + TILE - 1) / TILE;
const int stride = tile_columns * TILE + TILE;
float* nearness = scratch.nearness.data;  // 1 / depth of what is seen so far
int* seen = scratch.seen.data;
float* tile_least = scratch.tile_least.data;  // no more than the least nearness in the tile
unsigned char* tile_stale = scratch.tile_stale.data;
float* across = scratch.across.data;
float* down = scratch.down.data;

for (int column = 0; column < stride; ++column) across[column] = ((float)(column) + 0.5f - cx) / fx;
for (int row = 0; row < tile_rows * TILE; ++row) down[row] = ((float)(row_begin + row) + 0.5f - cy) / fy;
for (int row = 0; row < tile_rows * TILE; ++row) {
    float* line = nearness + row * stride;
    for (int column = 0; column < stride; ++column) line[column] = row < rows && column < width ? 0.0f : FAR_AWAY;
}
for (int index = 0; index < tile_rows * TILE * stride; ++index) seen[index] = -1;
for (int tile = 0; tile < tile_rows * tile_columns; ++tile) {
    tile_least[tile] = 0.0f;
    tile_stale[tile] = 0;
}

// The frustum's sides, a little wider than the pixels' centres.
const float left = (-MARGIN_PX - cx) / fx;
const float right = ((float)(width) + MARGIN_PX - cx) / fx;
const float top = ((float)(row_begin) - MARGIN_PX - cy) / fy;
const float bottom = ((float)(row_end) + MARGIN_PX - cy) / fy;

// 1. Clusters in the frustum, by rising depth of their nearest corner.
int* order = scratch.order.data;
int* found = scratch.found.data;
int* bucket_of = scratch.bucket.data;
int* rectangle = scratch.rectangle.data;
float* nearest = scratch.nearest.data;
int heads[BUCKETS + 1];
for (int bucket = 0; bucket <= BUCKETS; ++bucket) heads[bucket] = 0;
int visible = 0;
for (int cluster = 0; cluster < clusters.count; ++cluster) {
    const float* box = clusters.boxes.data + cluster * 6;
    look_at_body(clusters.body.data[cluster]);
    const f8 x = {box[0], box[3], box[0], box[3], box[0], box[3], box[0], box[3]};
    const f8 y = {box[1], box[1], box[4], box[4], box[1], box[1], box[4], box[4]};
    const f8 z = {box[2], box[2], box[2], box[2], box[5], box[5], box[5], box[5]};
    const Vector corner = in_camera(x, y, z);
    if (all(corner.z <= 0.0f)) continue;
    if (all(corner.x < left * corner.z) || all(corner.x > right * corner.z)) continue;
    if (all(corner.y < top * corner.z) || all(corner.y > bottom * corner.z)) continue;
    const float depth = least(corner.z);
    int* bounds = rectangle + visible * 4;
    if (depth > NEAR_M) {
        const f8 per_z = 1.0f / corner.z;
        const f8 px = corner.x * per_z * fx + cx;
        const f8 py = corner.y * per_z * fy + (cy - (float)(row_begin));
        bounds[0] = clamped(least(px) - 1.0f, 0.0f, (float)(width - 1)) / TILE;
        bounds[1] = clamped(greatest(px) + 1.0f, 0.0f, (float)(width - 1)) / TILE;
        bounds[2] = clamped(least(py) - 1.0f, 0.0f, (float)(rows - 1)) / TILE;
        bounds[3] = clamped(greatest(py) + 1.0f, 0.0f, (float)(rows - 1)) / TILE;
        nearest[visible] = 1.0f / depth * 1.0001f;
    } else {
        nearest[visible] = FAR_AWAY;
    }
    const int bucket = clamped(depth * clusters.buckets_per_m, 0.0f, (float)(BUCKETS - 1));
    bucket_of[visible] = bucket;
    heads[bucket + 1] += 1;
    found[visible] = cluster;
    visible += 1;
}
for (int bucket = 0; bucket < BUCKETS; ++bucket) heads[bucket + 1] += heads[bucket];
for (int index = 0; index < visible; ++index) order[heads[bucket_of[index]]++] = index;

auto refresh = [&](int tile_row, int tile_column) {
    const float* at = nearness + tile_row * TILE * stride + tile_column * TILE;
    f8 low = load(at);
    for (int row = 1; row < TILE; ++row) low = smaller(low, load(at + row * stride));
    const int tile = tile_row * tile_columns + tile_column;
    tile_least[tile] = least(low);
    tile_stale[tile] = 0;
};

// 2. Triangles of each cluster that is not hidden.
for (int place = 0; place < visible; ++place) {
    const int index = order[place];
    if (nearest[index] < FAR_AWAY) {
        const int* bounds = rectangle + index * 4;
        bool hidden = true;
        for (int tile_row = bounds[2]; hidden && tile_row <= bounds[3]; ++tile_row) {
            for (int tile_column = bounds[0]; tile_column <= bounds[1]; ++tile_column) {
                const int tile = tile_row * tile_columns + tile_column;
                if (tile_stale[tile]) refresh(tile_row, tile_column);
                if (tile_least[tile] <= nearest[index]) {
                    hidden = false;
                    break;
                }
            }
        }
        if (hidden) continue;
    }
    const int cluster = found[index];
    look_at_body(clusters.body.data[cluster]);
    for (int block = clusters.first_block.data[cluster]; block < clusters.first_block.data[cluster + 1]; ++block) {
        const float* soup = clusters.soup.data + block * 72;
        const Vector a = in_camera(load(soup), load(soup + 8), load(soup + 16));
        const Vector b = in_camera(load(soup + 24), load(soup + 32), load(soup + 40));
        const Vector c = in_camera(load(soup + 48), load(soup + 56), load(soup + 64));
        i8 kept = (a.z > 0.0f) | (b.z > 0.0f) | (c.z > 0.0f);
        kept &= ~((a.x < left * a.z) & (b.x < left * b.z) & (c.x < left * c.z));
        kept &= ~((a.x > right * a.z) & (b.x > right * b.z) & (c.x > right * c.z));
        kept &= ~((a.y < top * a.z) & (b.y < top * b.z) & (c.y < top * c.z));
        kept &= ~((a.y > bottom * a.z) & (b.y > bottom * b.z) & (c.y > bottom * c.z));
        if (bits(kept) == 0u) continue;
        const i8 in_front = (a.z > NEAR_M) & (b.z > NEAR_M) & (c.z > NEAR_M);
        const f8 one = 1.0f;
        const f8 per_a = one / (in_front ? a.z : one);
        const f8 per_b = one / (in_front ? b.z : one);
        const f8 per_c = one / (in_front ? c.z : one);
        const f8 ax = a.x * per_a, bx = b.x * per_b, cx_ = c.x * per_c;
        const f8 ay = a.y * per_a, by = b.y * per_b, cy_ = c.y * per_c;
        f8 low_x = smaller(smaller(ax, bx), cx_) * fx + (cx - 0.5f - MARGIN_PX);
        f8 high_x = larger(larger(ax, bx), cx_) * fx + (cx - 0.5f + MARGIN_PX);
        f8 low_y = smaller(smaller(ay, by), cy_) * fy + (cy - 0.5f - MARGIN_PX - (float)(row_begin));
        f8 high_y = larger(larger(ay, by), cy_) * fy + (cy - 0.5f + MARGIN_PX - (float)(row_begin));
        const f8 zero = 0.0f, last_x = (float)(width - 1), last_y = (float)(rows - 1);
        low_x = in_front ? larger(__builtin_elementwise_ceil(low_x), zero) : zero;
        low_y = in_front ? larger(__builtin_elementwise_ceil(low_y), zero) : zero;
        high_x = in_front ? smaller(__builtin_elementwise_floor(high_x), last_x) : last_x;
        high_y = in_front ? smaller(__builtin_elementwise_floor(high_y), last_y) : last_y;
        kept &= (low_x <= high_x) & (low_y <= high_y);
        if (bits(kept) == 0u) continue;

        const Vector normal = cross(minus(b, a), minus(c, a));
        const f8 volume = normal.x * a.x + normal.y * a.y + normal.z * a.z;
        kept &= volume != 0.0f;
        unsigned left_over = bits(kept);
        if (left_over == 0u) continue;
        const f8 sign = volume < 0.0f ? f8(-1.0f) : f8(1.0f);
        const Vector opposite_a = cross(plus(b, c), minus(c, b));
        const Vector opposite_b = cross(plus(c, a), minus(a, c));
        const Vector opposite_c = cross(plus(a, b), minus(b, a));
        const f8 per_volume = one / volume;
        const f8 far_away = FAR_AWAY;
        f8 edge[9] = {
            opposite_a.x * sign, opposite_a.y * sign, opposite_a.z * sign, opposite_b.x * sign, opposite_b.y * sign,
            opposite_b.z * sign, opposite_c.x * sign, opposite_c.y * sign, opposite_c.z * sign,
        };
        f8 plane[3] = {normal.x * per_volume, normal.y * per_volume, normal.z * per_volume};
        f8 range[2] = {
            in_front ? smaller(smaller(per_a, per_b), per_c) : zero,
            in_front ? larger(larger(per_a, per_b), per_c) : far_away,
        };
        i8 bound[4] = {
            __builtin_convertvector(low_x, i8), __builtin_convertvector(high_x, i8),
            __builtin_convertvector(low_y, i8), __builtin_convertvector(high_y, i8),
        };
        const float* edges = (const float*)edge;
        const float* planes = (const float*)plane;
        const float* ranges = (const float*)range;
        const int* limits = (const int*)bound;
        for (; left_over != 0u; left_over &= left_over - 1u) {
            const int lane = __builtin_ctz(left_over);
            const float a0 = edges[lane], b0 = edges[8 + lane], c0 = edges[16 + lane];
            const float a1 = edges[24 + lane], b1 = edges[32 + lane], c1 = edges[40 + lane];
            const float a2 = edges[48 + lane], b2 = edges[56 + lane], c2 = edges[64 + lane];
            const float an = planes[lane], bn = planes[8 + lane], cn = planes[16 + lane];
            const float nearness_low = ranges[lane], nearness_high = ranges[8 + lane];
            const int x0 = limits[lane], x1 = limits[8 + lane], y0 = limits[16 + lane], y1 = limits[24 + lane];
            const int slot = block * 8 + lane;
            auto try_row = [&](int row, int column, f8 x) -> f8 {
                const float y = down[row];
                const float r0 = b0 * y + c0, r1 = b1 * y + c1, r2 = b2 * y + c2, rn = bn * y + cn;
                const f8 e0 = a0 * x + r0, e1 = a1 * x + r1, e2 = a2 * x + r2;
                f8 near = an * x + rn;
                near = larger(smaller(near, f8(nearness_high)), f8(nearness_low));
                float* at = nearness + row * stride + column;
                const f8 before = load(at);
                const i8 wins = (smaller(smaller(e0, e1), e2) >= 0.0f) & (near > before);
                const f8 after = wins ? near : before;
                if (bits(wins) != 0u) {
                    *(f8_loose*)at = after;
                    int* mark = seen + row * stride + column;
                    *(i8_loose*)mark = wins ? i8(slot) : *(const i8_loose*)mark;
                }
                return after;
            };
            if (x1 - x0 < TILE && y1 - y0 < 2 * TILE) {
                const int first = (y0 / TILE) * tile_columns + x0 / TILE;
                const int last = (y1 / TILE) * tile_columns + x1 / TILE;
                if (first == last && tile_least[first] > nearness_high) continue;
                const f8 x = load(across + x0);
                for (int row = y0; row <= y1; ++row) try_row(row, x0, x);
                for (int tile_row = y0 / TILE; tile_row <= y1 / TILE; ++tile_row)
                    for (int tile_column = x0 / TILE; tile_column <= x1 / TILE; ++tile_column)
                        tile_stale[tile_row * tile_columns + tile_column] = 1;
                continue;
            }
            auto peak = [](float slope, float from, float to) -> float {
                const float one_end = slope * from, other = slope * to;
                return one_end > other ? one_end : other;
            };
            for (int tile_row = y0 / TILE; tile_row <= y1 / TILE; ++tile_row) {
                const float from_y = down[tile_row * TILE], to_y = down[tile_row * TILE + TILE - 1];
                const float p0 = peak(b0, from_y, to_y) + c0, p1 = peak(b1, from_y, to_y) + c1;
                const float p2 = peak(b2, from_y, to_y) + c2, pn = peak(bn, from_y, to_y) + cn;
                for (int tile_column = x0 / TILE; tile_column <= x1 / TILE; ++tile_column) {
                    const int column = tile_column * TILE;
                    const float from_x = across[column], to_x = across[column + TILE - 1];
                    if (peak(a0, from_x, to_x) + p0 < 0.0f || peak(a1, from_x, to_x) + p1 < 0.0f
                        || peak(a2, from_x, to_x) + p2 < 0.0f)
                        continue;
                    float most = (peak(an, from_x, to_x) + pn) * 1.0001f;
                    most = most < nearness_high ? most : nearness_high;
                    const int tile = tile_row * tile_columns + tile_column;
                    if (tile_least[tile] > most) continue;
                    const f8 x = load(across + column);
                    f8 low = try_row(tile_row * TILE, column, x);
                    for (int row = 1; row < TILE; ++row) low = smaller(low, try_row(tile_row * TILE + row, column, x));
                    tile_least[tile] = least(low);
                    tile_stale[tile] = 0;
                }
            }
        }
    }
}
