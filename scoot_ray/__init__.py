"""SCOOT-Ray: finds good start-up parameters for LLM inference engines."""
