"""The declarations, one module for each group of options."""
