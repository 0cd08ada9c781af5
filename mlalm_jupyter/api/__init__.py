"""The verbs of the product: one class per noun, one method per verb."""
