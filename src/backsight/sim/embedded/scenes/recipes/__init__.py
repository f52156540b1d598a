"""What stands in each type of room."""
