"""The nouns: frozen pydantic records without logic, one file a family."""
