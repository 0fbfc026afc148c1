"""The pages that are made from code, as a whole or between two marks, and how each is made."""
