"""The primes of finite-field Diffie-Hellman that everybody knows, by their digest. Data, and one look-up.

A prime that many servers share is no fault by itself; one of 1024 bits or less that many share is worth breaking once
for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Prime:
    """One prime: what it is called, its size in bits, and its code point among the named groups, where it has one."""

    name: str
    bits: int
    group: int | None


# By the SHA-256 of the prime, big-endian, without leading zeros. RFC 2409 sections 6.1 and 6.2, RFC 3526 sections 2 to
# 7, RFC 7919 appendix A, RFC 5114 sections 2.1 to 2.3.
PRIMES = {
    "b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d": Prime("RFC 2409 group 1", 768, None),
    "3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0": Prime("RFC 2409 group 2", 1024, None),
    "64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b": Prime("RFC 3526 group 5", 1536, None),
    "d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e": Prime("RFC 3526 group 14", 2048, None),
    "48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c": Prime("RFC 3526 group 15", 3072, None),
    "4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33": Prime("RFC 3526 group 16", 4096, None),
    "d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd": Prime("RFC 3526 group 17", 6144, None),
    "39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf": Prime("RFC 3526 group 18", 8192, None),
    "9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966": Prime("ffdhe2048", 2048, 0x0100),
    "0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17": Prime("ffdhe3072", 3072, 0x0101),
    "4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e": Prime("ffdhe4096", 4096, 0x0102),
    "227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7": Prime("ffdhe6144", 6144, 0x0103),
    "770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833": Prime("ffdhe8192", 8192, 0x0104),
    "44c55cfee5c075927cf682da5b681bdecbd5c3eb0784c14f5dce7610f0ef133d": Prime("RFC 5114 group 22", 1024, None),
    "bfe545862ca102ad1eeddb5fbfa5bf855ac4995c56a8b408ce3fe099dce93a9d": Prime("RFC 5114 group 23", 2048, None),
    "0b7835722cb619827610c2549fdda5587421686c4409a13865e76225522ddcc9": Prime("RFC 5114 group 24", 2048, None),
}


def known_prime(prime: bytes) -> Prime | None:
    """The well-known prime that these big-endian bytes are; None where they are any other."""
    return PRIMES.get(sha256(prime.lstrip(b"\0")).hexdigest())
