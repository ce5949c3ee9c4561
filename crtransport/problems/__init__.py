"""Where physics meets numerics: models in, problem objects and answers out."""
