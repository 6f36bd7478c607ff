"""The pages that people open: TypeScript in `src/`, which `make setup` bundles into `dist/`."""
