"""The public JSON as models: what OpenAPI tells. What is not described there does not occur."""
