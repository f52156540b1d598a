"""Scenes from people's own files: GLB, glTF, OBJ and PLY."""
