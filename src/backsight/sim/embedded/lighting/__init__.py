"""Light of a scene, traced once at load: from where it reaches each patch of surface, and how much at any lighting."""
