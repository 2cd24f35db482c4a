"""The same template.yaml on one machine."""
