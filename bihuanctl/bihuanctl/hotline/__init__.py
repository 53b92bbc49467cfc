"""A telephone for the hotline: plays VoiceXML pages to a person at a keyboard, or to a script of keys (GWY-02)."""
