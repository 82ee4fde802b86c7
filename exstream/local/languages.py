"""Languages in file names, as the three-letter codes (ISO 639-2/T) that media files carry."""

from __future__ import annotations

_TWO_LETTERS = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg",
    "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "mk": "mkd", "ms": "msa", "nb": "nob", "nl": "nld", "nn": "nno",
    "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sq": "sqi",
    "sr": "srp", "sv": "swe", "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie",
    "zh": "zho",
}  # fmt: skip
_BIBLIOGRAPHIC = {
    "alb": "sqi", "baq": "eus", "chi": "zho", "cze": "ces", "dut": "nld", "fre": "fra", "ger": "deu", "gre": "ell",
    "ice": "isl", "mac": "mkd", "may": "msa", "per": "fas", "rum": "ron", "slo": "slk",
}  # fmt: skip
_ENGLISH_NAMES = {
    "arabic": "ara", "chinese": "zho", "czech": "ces", "danish": "dan", "dutch": "nld", "english": "eng",
    "finnish": "fin", "french": "fra", "german": "deu", "greek": "ell", "hebrew": "heb", "hungarian": "hun",
    "italian": "ita", "japanese": "jpn", "korean": "kor", "norwegian": "nor", "polish": "pol",
    "portuguese": "por", "romanian": "ron", "russian": "rus", "spanish": "spa", "swedish": "swe",
    "turkish": "tur", "ukrainian": "ukr",
}  # fmt: skip
_CODES = frozenset(_TWO_LETTERS.values())


def language_code(word: str) -> str:
    """Return the code that ``word`` (``en``, ``pt-BR``, ``ger``, ``English``) means, or "" when it is no language."""
    word = word.strip().casefold().replace("_", "-").partition("-")[0]
    if word in _CODES:
        return word
    return _TWO_LETTERS.get(word) or _BIBLIOGRAPHIC.get(word) or _ENGLISH_NAMES.get(word, "")
