"""The ciphers of SSLv2 (draft-hickman-netscape-ssl-00 section C.4), and those that its libraries added. Data.

All of SSLv2 is broken: its messages are not protected from change, whatever the cipher (RFC 6176 section 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Ssl2Cipher:
    """One cipher: its code point of three bytes, its name, and how many bits of its key are secret."""

    code: int
    name: str
    strength: int

    @property
    def export(self) -> bool:
        """Whether it is weakened to what could once be exported from the United States."""
        return "EXPORT" in self.name


SSL2_CIPHERS: Mapping[int, Ssl2Cipher] = MappingProxyType(
    {
        cipher.code: cipher
        for cipher in (
            Ssl2Cipher(0x010080, "SSL_CK_RC4_128_WITH_MD5", 128),
            Ssl2Cipher(0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5", 40),
            Ssl2Cipher(0x030080, "SSL_CK_RC2_128_CBC_WITH_MD5", 128),
            Ssl2Cipher(0x040080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5", 40),
            Ssl2Cipher(0x050080, "SSL_CK_IDEA_128_CBC_WITH_MD5", 128),
            Ssl2Cipher(0x060040, "SSL_CK_DES_64_CBC_WITH_MD5", 56),
            Ssl2Cipher(0x060140, "SSL_CK_DES_64_CBC_WITH_SHA", 56),
            Ssl2Cipher(0x0700C0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5", 112),
            Ssl2Cipher(0x0701C0, "SSL_CK_DES_192_EDE3_CBC_WITH_SHA", 112),
            Ssl2Cipher(0x080080, "SSL_CK_RC4_64_WITH_MD5", 64),
            Ssl2Cipher(0xFF0800, "SSL_CK_DES_64_CFB64_WITH_MD5_1", 56),
            Ssl2Cipher(0xFF0810, "SSL_CK_NULL", 0),
        )
    }
)
"""Every cipher by its code point, in the order of the code points."""


def ssl2_cipher_name(code: int) -> str:
    """The name of a cipher; its number where it has none here, such as `0x010203`."""
    cipher = SSL2_CIPHERS.get(code)
    return cipher.name if cipher is not None else f"0x{code:06X}"
