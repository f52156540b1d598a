"""The model: VGGT, DINOv3 and Qwen2.5-VL, their fusion, and the heatmap decoders."""
