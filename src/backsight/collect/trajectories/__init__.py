"""Trajectory patterns: each plans one continuous motion and samples it at the frame rate."""
