"""What speaks: tones, eSpeak NG, or Azure AI Speech."""
