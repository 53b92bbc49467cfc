"""The hotline's dialogue: VoiceXML 2.1 pages for a voice platform, one step of the call after the other (GWY-02)."""
