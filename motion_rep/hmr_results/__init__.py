"""Common parts of the readers of HMR results: documents, fields, tracks, bodies and cameras."""
