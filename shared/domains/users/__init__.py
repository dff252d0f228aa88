"""Users and their wardrobe: the seam to the product's own user service."""
