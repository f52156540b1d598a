"""The plainest renderer on `wp.mesh_query_ray`: what the embedded renderer's speed is a multiple of.

One ray per pixel, a bilinear texture, light from all sides and one lamp a room, no shadow, no mip maps.
"""

# ruff: noqa: PLR0913, UP018

from typing import Any, no_type_check

import numpy as np
import warp as wp
from jaxtyping import Float64

from backsight.sim.embedded.packed import PackedScene
from backsight.sim.simulator import Observation
from backsight.sim.srgb import linear_from_srgb, srgb_from_linear

wp.config.log_level = wp.LOG_ERROR
wp.set_module_options({"enable_backward": False, "fast_math": False})

STEPS = 4096


@wp.struct
@no_type_check
class PlainScene:
    """A scene as plain arrays."""

    mesh: wp.uint64
    uv: wp.array2d[wp.vec2]
    normals: wp.array2d[wp.vec3]
    material: wp.array[wp.int32]
    instance: wp.array[wp.int32]
    room: wp.array[wp.int32]
    colour: wp.array[wp.vec3]
    texture: wp.array[wp.int32]
    texels: wp.array3d[wp.uint32]
    lamp: wp.array[wp.vec3]
    lamp_colour: wp.array[wp.vec3]
    encode: wp.array[wp.uint8]


@wp.func
@no_type_check
def colour_of(word: wp.uint32):
    """Return the linear light of a texel of three times ten bits."""
    red = float(word & wp.uint32(1023))
    green = float((word >> wp.uint32(10)) & wp.uint32(1023))
    blue = float((word >> wp.uint32(20)) & wp.uint32(1023))
    return wp.vec3(red * red, green * green, blue * blue) * (1.0 / (1023.0 * 1023.0))


@wp.kernel
@no_type_check
def render_plainly(
    scene: PlainScene,
    rotations: wp.array[wp.mat33],
    origins: wp.array[wp.vec3],
    size: wp.vec2i,
    focal: wp.vec2,
    middle: wp.vec2,
    rgb: wp.array2d[wp.uint8],
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill one pixel."""
    pixel = wp.tid()
    x = float(pixel % size[0]) + 0.5
    y = float((pixel / size[0]) % size[1]) + 0.5
    pose = pixel / (size[0] * size[1])
    origin = origins[pose]
    direction = rotations[pose] * wp.vec3((x - middle[0]) / focal[0], (y - middle[1]) / focal[1], 1.0)
    query = wp.mesh_query_ray(scene.mesh, origin, direction, 1.0e4)
    colour = wp.vec3(0.62, 0.74, 0.88)
    depth = float(0.0)
    instance = 0
    if query.result:
        face = query.face
        u = query.u
        v = query.v
        w = 1.0 - u - v
        depth = query.t
        instance = scene.instance[face]
        material = scene.material[face]
        uv = scene.uv[face, 0] * u + scene.uv[face, 1] * v + scene.uv[face, 2] * w
        normal = wp.normalize(scene.normals[face, 0] * u + scene.normals[face, 1] * v + scene.normals[face, 2] * w)
        side = scene.texels.shape[1]
        across = uv[0] * float(side) - 0.5
        down = uv[1] * float(side) - 0.5
        left = wp.floor(across)
        top = wp.floor(down)
        x0 = int(left) & (side - 1)
        x1 = (x0 + 1) & (side - 1)
        y0 = int(top) & (side - 1)
        y1 = (y0 + 1) & (side - 1)
        layer = scene.texture[material]
        upper = wp.lerp(colour_of(scene.texels[layer, y0, x0]), colour_of(scene.texels[layer, y0, x1]), across - left)
        lower = wp.lerp(colour_of(scene.texels[layer, y1, x0]), colour_of(scene.texels[layer, y1, x1]), across - left)
        albedo = wp.cw_mul(scene.colour[material], wp.lerp(upper, lower, down - top))
        if wp.dot(normal, direction) > 0.0:
            normal = -normal
        room = scene.room[face]
        to_lamp = scene.lamp[room] - (origin + direction * query.t)
        squared = wp.dot(to_lamp, to_lamp)
        lambert = wp.max(wp.dot(normal, to_lamp), 0.0) / wp.sqrt(squared)
        light = wp.vec3(0.3, 0.3, 0.3) * (0.8 + 0.2 * normal[1]) + scene.lamp_colour[room] * (
            lambert * 6.5 / (squared + 2.5)
        )
        colour = wp.cw_mul(albedo, light)
    depth_m[pixel] = depth
    instance_ids[pixel] = instance
    for channel in range(3):
        step = wp.sqrt(wp.clamp(colour[channel], 0.0, 1.0)) * 4095.0 + 0.5
        rgb[pixel, channel] = scene.encode[int(step)]


class PlainRenderer:
    """Renders a scene whose materials are all textured, with textures of one size and a lamp in every room.

    Args:
        scene: what to render.
        device: 'cpu' or 'cuda'.
    """

    def __init__(self, scene: PackedScene, device: str) -> None:
        wp.init()
        self._device = wp.get_device(device)
        wp.load_module(device=self._device)
        self._mesh = wp.Mesh(
            points=wp.array(scene.vertices_m, dtype=wp.vec3, device=device),
            indices=wp.array(scene.faces.reshape(-1), dtype=wp.int32, device=device),
        )
        texels = np.round(np.sqrt(linear_from_srgb(np.stack(scene.textures) / 255.0)) * 1023).astype(np.uint32)
        words = texels[..., 0] | (texels[..., 1] << np.uint32(10)) | (texels[..., 2] << np.uint32(20))
        slot = {light.room_id: number for number, light in enumerate(scene.lights)}
        rooms = np.array([slot[room] for room in scene.face_room.tolist()], dtype=np.int32)
        table = np.round(255 * srgb_from_linear(np.linspace(0, 1, STEPS) ** 2)).astype(np.uint8)
        arrays: Any = PlainScene()
        arrays.mesh = self._mesh.id
        for name, values, kind in (
            ("uv", scene.face_uv, wp.vec2),
            ("normals", scene.face_normals, wp.vec3),
            ("material", scene.face_material, wp.int32),
            ("instance", scene.face_instance, wp.int32),
            ("room", rooms, wp.int32),
            ("colour", linear_from_srgb(np.array([m.colour for m in scene.materials])).astype(np.float32), wp.vec3),
            ("texture", np.array([m.texture for m in scene.materials], np.int32), wp.int32),
            ("texels", words, wp.uint32),
            ("lamp", np.array([light.position_m for light in scene.lights], np.float32), wp.vec3),
            ("lamp_colour", np.array([light.colour for light in scene.lights], np.float32), wp.vec3),
            ("encode", table, wp.uint8),
        ):
            setattr(arrays, name, wp.array(values, dtype=kind, device=device))
        self._arrays = arrays

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return images of poses, copied to the host where they are not there.

        Args:
            world_from_camera: poses.
            intrinsics: px.
            width: px.
            height: px.
        """
        poses = len(world_from_camera)
        pixels = poses * width * height
        rgb = wp.empty((pixels, 3), dtype=wp.uint8, device=self._device)
        depth_m = wp.empty(pixels, dtype=wp.float32, device=self._device)
        ids = wp.empty(pixels, dtype=wp.int32, device=self._device)
        (fx, _, cx), (_, fy, cy), _ = intrinsics.tolist()
        wp.launch(
            render_plainly,
            dim=pixels,
            inputs=[
                self._arrays,
                wp.array(world_from_camera[:, :3, :3].astype(np.float32), dtype=wp.mat33, device=self._device),
                wp.array(world_from_camera[:, :3, 3].astype(np.float32), dtype=wp.vec3, device=self._device),
                wp.vec2i(width, height),
                wp.vec2(fx, fy),
                wp.vec2(cx, cy),
            ],
            outputs=[rgb, depth_m, ids],
            device=self._device,
        )
        return Observation(
            rgb.numpy().reshape(poses, height, width, 3),
            depth_m.numpy().reshape(poses, height, width),
            ids.numpy().reshape(poses, height, width),
        )
