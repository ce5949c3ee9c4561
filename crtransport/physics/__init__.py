"""One effect per file: frozen dataclasses whose fields are deck keys, and functions of arrays."""
