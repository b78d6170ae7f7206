// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The processors, and hotplug of them (dev/cpuhp.h). Included by dsdt.asl, at its top level. Those
 * that cannot be on this machine are not there, as the registers say.
 */
Scope (_SB)
{
	// The registers are nobody's to assign.
	Device (CPHR)
	{
		Name (_HID, EisaId ("PNP0C02"))
		Name (_UID, "CPU hotplug")
		Name (_CRS, ResourceTemplate ()
		{
			IO (Decode16, 0x0660, 0x0660, 1, 0x10)
		})
	}

	Device (CPUS)
	{
		Name (_HID, "ACPI0010")
		Name (_CID, EisaId ("PNP0A06"))

		OperationRegion (CHRG, SystemIO, 0x0660, 0x10)
		Field (CHRG, DWordAcc, NoLock, WriteAsZeros)
		{
			CSEL, 32,
			Offset (8),
			CEVT, 32,
			COST, 32
		}
		Field (CHRG, ByteAcc, NoLock, WriteAsZeros)
		{
			Offset (4),
			CSTS, 8,
			CNXT, 8
		}
		Mutex (CLCK, 0)

		// _STA of processor Arg0.
		Method (CSTA, 1, Serialized)
		{
			Acquire (CLCK, 0xffff)
			CSEL = Arg0
			Local0 = CSTS & 1
			Release (CLCK)
			If (Local0) { Return (0x0f) }
			Return (0)
		}

		// _MAT: its local APIC's entry of the MADT, as if it were there at boot.
		Method (CMAT, 1, Serialized)
		{
			Local0 = Buffer (8) { 0, 8, 0, 0, 0, 0, 0, 0 }
			Local0[2] = Arg0
			Local0[3] = Arg0
			If (CSTA (Arg0)) { Local0[4] = 1 }
			Return (Local0)
		}

		// _EJ0
		Method (CEJ, 1, Serialized)
		{
			Acquire (CLCK, 0xffff)
			CSEL = Arg0
			CSTS = 8
			Release (CLCK)
		}

		// _OST: of processor Arg0, event Arg1, status Arg2.
		Method (COS, 3, Serialized)
		{
			Acquire (CLCK, 0xffff)
			CSEL = Arg0
			CEVT = Arg1
			COST = Arg2
			Release (CLCK)
		}

		Device (C000)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 0)
			Method (_STA) { Return (CSTA (0)) }
			Method (_MAT) { Return (CMAT (0)) }
			Method (_OST, 3) { COS (0, Arg0, Arg1) }
		}
		Device (C001)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 1)
			Method (_STA) { Return (CSTA (1)) }
			Method (_MAT) { Return (CMAT (1)) }
			Method (_OST, 3) { COS (1, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (1) }
		}
		Device (C002)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 2)
			Method (_STA) { Return (CSTA (2)) }
			Method (_MAT) { Return (CMAT (2)) }
			Method (_OST, 3) { COS (2, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (2) }
		}
		Device (C003)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 3)
			Method (_STA) { Return (CSTA (3)) }
			Method (_MAT) { Return (CMAT (3)) }
			Method (_OST, 3) { COS (3, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (3) }
		}
		Device (C004)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 4)
			Method (_STA) { Return (CSTA (4)) }
			Method (_MAT) { Return (CMAT (4)) }
			Method (_OST, 3) { COS (4, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (4) }
		}
		Device (C005)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 5)
			Method (_STA) { Return (CSTA (5)) }
			Method (_MAT) { Return (CMAT (5)) }
			Method (_OST, 3) { COS (5, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (5) }
		}
		Device (C006)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 6)
			Method (_STA) { Return (CSTA (6)) }
			Method (_MAT) { Return (CMAT (6)) }
			Method (_OST, 3) { COS (6, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (6) }
		}
		Device (C007)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 7)
			Method (_STA) { Return (CSTA (7)) }
			Method (_MAT) { Return (CMAT (7)) }
			Method (_OST, 3) { COS (7, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (7) }
		}
		Device (C008)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 8)
			Method (_STA) { Return (CSTA (8)) }
			Method (_MAT) { Return (CMAT (8)) }
			Method (_OST, 3) { COS (8, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (8) }
		}
		Device (C009)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 9)
			Method (_STA) { Return (CSTA (9)) }
			Method (_MAT) { Return (CMAT (9)) }
			Method (_OST, 3) { COS (9, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (9) }
		}
		Device (C010)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 10)
			Method (_STA) { Return (CSTA (10)) }
			Method (_MAT) { Return (CMAT (10)) }
			Method (_OST, 3) { COS (10, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (10) }
		}
		Device (C011)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 11)
			Method (_STA) { Return (CSTA (11)) }
			Method (_MAT) { Return (CMAT (11)) }
			Method (_OST, 3) { COS (11, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (11) }
		}
		Device (C012)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 12)
			Method (_STA) { Return (CSTA (12)) }
			Method (_MAT) { Return (CMAT (12)) }
			Method (_OST, 3) { COS (12, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (12) }
		}
		Device (C013)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 13)
			Method (_STA) { Return (CSTA (13)) }
			Method (_MAT) { Return (CMAT (13)) }
			Method (_OST, 3) { COS (13, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (13) }
		}
		Device (C014)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 14)
			Method (_STA) { Return (CSTA (14)) }
			Method (_MAT) { Return (CMAT (14)) }
			Method (_OST, 3) { COS (14, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (14) }
		}
		Device (C015)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 15)
			Method (_STA) { Return (CSTA (15)) }
			Method (_MAT) { Return (CMAT (15)) }
			Method (_OST, 3) { COS (15, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (15) }
		}
		Device (C016)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 16)
			Method (_STA) { Return (CSTA (16)) }
			Method (_MAT) { Return (CMAT (16)) }
			Method (_OST, 3) { COS (16, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (16) }
		}
		Device (C017)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 17)
			Method (_STA) { Return (CSTA (17)) }
			Method (_MAT) { Return (CMAT (17)) }
			Method (_OST, 3) { COS (17, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (17) }
		}
		Device (C018)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 18)
			Method (_STA) { Return (CSTA (18)) }
			Method (_MAT) { Return (CMAT (18)) }
			Method (_OST, 3) { COS (18, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (18) }
		}
		Device (C019)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 19)
			Method (_STA) { Return (CSTA (19)) }
			Method (_MAT) { Return (CMAT (19)) }
			Method (_OST, 3) { COS (19, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (19) }
		}
		Device (C020)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 20)
			Method (_STA) { Return (CSTA (20)) }
			Method (_MAT) { Return (CMAT (20)) }
			Method (_OST, 3) { COS (20, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (20) }
		}
		Device (C021)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 21)
			Method (_STA) { Return (CSTA (21)) }
			Method (_MAT) { Return (CMAT (21)) }
			Method (_OST, 3) { COS (21, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (21) }
		}
		Device (C022)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 22)
			Method (_STA) { Return (CSTA (22)) }
			Method (_MAT) { Return (CMAT (22)) }
			Method (_OST, 3) { COS (22, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (22) }
		}
		Device (C023)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 23)
			Method (_STA) { Return (CSTA (23)) }
			Method (_MAT) { Return (CMAT (23)) }
			Method (_OST, 3) { COS (23, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (23) }
		}
		Device (C024)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 24)
			Method (_STA) { Return (CSTA (24)) }
			Method (_MAT) { Return (CMAT (24)) }
			Method (_OST, 3) { COS (24, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (24) }
		}
		Device (C025)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 25)
			Method (_STA) { Return (CSTA (25)) }
			Method (_MAT) { Return (CMAT (25)) }
			Method (_OST, 3) { COS (25, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (25) }
		}
		Device (C026)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 26)
			Method (_STA) { Return (CSTA (26)) }
			Method (_MAT) { Return (CMAT (26)) }
			Method (_OST, 3) { COS (26, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (26) }
		}
		Device (C027)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 27)
			Method (_STA) { Return (CSTA (27)) }
			Method (_MAT) { Return (CMAT (27)) }
			Method (_OST, 3) { COS (27, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (27) }
		}
		Device (C028)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 28)
			Method (_STA) { Return (CSTA (28)) }
			Method (_MAT) { Return (CMAT (28)) }
			Method (_OST, 3) { COS (28, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (28) }
		}
		Device (C029)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 29)
			Method (_STA) { Return (CSTA (29)) }
			Method (_MAT) { Return (CMAT (29)) }
			Method (_OST, 3) { COS (29, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (29) }
		}
		Device (C030)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 30)
			Method (_STA) { Return (CSTA (30)) }
			Method (_MAT) { Return (CMAT (30)) }
			Method (_OST, 3) { COS (30, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (30) }
		}
		Device (C031)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 31)
			Method (_STA) { Return (CSTA (31)) }
			Method (_MAT) { Return (CMAT (31)) }
			Method (_OST, 3) { COS (31, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (31) }
		}
		Device (C032)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 32)
			Method (_STA) { Return (CSTA (32)) }
			Method (_MAT) { Return (CMAT (32)) }
			Method (_OST, 3) { COS (32, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (32) }
		}
		Device (C033)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 33)
			Method (_STA) { Return (CSTA (33)) }
			Method (_MAT) { Return (CMAT (33)) }
			Method (_OST, 3) { COS (33, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (33) }
		}
		Device (C034)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 34)
			Method (_STA) { Return (CSTA (34)) }
			Method (_MAT) { Return (CMAT (34)) }
			Method (_OST, 3) { COS (34, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (34) }
		}
		Device (C035)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 35)
			Method (_STA) { Return (CSTA (35)) }
			Method (_MAT) { Return (CMAT (35)) }
			Method (_OST, 3) { COS (35, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (35) }
		}
		Device (C036)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 36)
			Method (_STA) { Return (CSTA (36)) }
			Method (_MAT) { Return (CMAT (36)) }
			Method (_OST, 3) { COS (36, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (36) }
		}
		Device (C037)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 37)
			Method (_STA) { Return (CSTA (37)) }
			Method (_MAT) { Return (CMAT (37)) }
			Method (_OST, 3) { COS (37, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (37) }
		}
		Device (C038)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 38)
			Method (_STA) { Return (CSTA (38)) }
			Method (_MAT) { Return (CMAT (38)) }
			Method (_OST, 3) { COS (38, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (38) }
		}
		Device (C039)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 39)
			Method (_STA) { Return (CSTA (39)) }
			Method (_MAT) { Return (CMAT (39)) }
			Method (_OST, 3) { COS (39, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (39) }
		}
		Device (C040)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 40)
			Method (_STA) { Return (CSTA (40)) }
			Method (_MAT) { Return (CMAT (40)) }
			Method (_OST, 3) { COS (40, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (40) }
		}
		Device (C041)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 41)
			Method (_STA) { Return (CSTA (41)) }
			Method (_MAT) { Return (CMAT (41)) }
			Method (_OST, 3) { COS (41, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (41) }
		}
		Device (C042)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 42)
			Method (_STA) { Return (CSTA (42)) }
			Method (_MAT) { Return (CMAT (42)) }
			Method (_OST, 3) { COS (42, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (42) }
		}
		Device (C043)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 43)
			Method (_STA) { Return (CSTA (43)) }
			Method (_MAT) { Return (CMAT (43)) }
			Method (_OST, 3) { COS (43, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (43) }
		}
		Device (C044)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 44)
			Method (_STA) { Return (CSTA (44)) }
			Method (_MAT) { Return (CMAT (44)) }
			Method (_OST, 3) { COS (44, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (44) }
		}
		Device (C045)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 45)
			Method (_STA) { Return (CSTA (45)) }
			Method (_MAT) { Return (CMAT (45)) }
			Method (_OST, 3) { COS (45, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (45) }
		}
		Device (C046)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 46)
			Method (_STA) { Return (CSTA (46)) }
			Method (_MAT) { Return (CMAT (46)) }
			Method (_OST, 3) { COS (46, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (46) }
		}
		Device (C047)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 47)
			Method (_STA) { Return (CSTA (47)) }
			Method (_MAT) { Return (CMAT (47)) }
			Method (_OST, 3) { COS (47, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (47) }
		}
		Device (C048)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 48)
			Method (_STA) { Return (CSTA (48)) }
			Method (_MAT) { Return (CMAT (48)) }
			Method (_OST, 3) { COS (48, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (48) }
		}
		Device (C049)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 49)
			Method (_STA) { Return (CSTA (49)) }
			Method (_MAT) { Return (CMAT (49)) }
			Method (_OST, 3) { COS (49, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (49) }
		}
		Device (C050)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 50)
			Method (_STA) { Return (CSTA (50)) }
			Method (_MAT) { Return (CMAT (50)) }
			Method (_OST, 3) { COS (50, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (50) }
		}
		Device (C051)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 51)
			Method (_STA) { Return (CSTA (51)) }
			Method (_MAT) { Return (CMAT (51)) }
			Method (_OST, 3) { COS (51, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (51) }
		}
		Device (C052)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 52)
			Method (_STA) { Return (CSTA (52)) }
			Method (_MAT) { Return (CMAT (52)) }
			Method (_OST, 3) { COS (52, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (52) }
		}
		Device (C053)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 53)
			Method (_STA) { Return (CSTA (53)) }
			Method (_MAT) { Return (CMAT (53)) }
			Method (_OST, 3) { COS (53, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (53) }
		}
		Device (C054)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 54)
			Method (_STA) { Return (CSTA (54)) }
			Method (_MAT) { Return (CMAT (54)) }
			Method (_OST, 3) { COS (54, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (54) }
		}
		Device (C055)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 55)
			Method (_STA) { Return (CSTA (55)) }
			Method (_MAT) { Return (CMAT (55)) }
			Method (_OST, 3) { COS (55, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (55) }
		}
		Device (C056)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 56)
			Method (_STA) { Return (CSTA (56)) }
			Method (_MAT) { Return (CMAT (56)) }
			Method (_OST, 3) { COS (56, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (56) }
		}
		Device (C057)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 57)
			Method (_STA) { Return (CSTA (57)) }
			Method (_MAT) { Return (CMAT (57)) }
			Method (_OST, 3) { COS (57, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (57) }
		}
		Device (C058)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 58)
			Method (_STA) { Return (CSTA (58)) }
			Method (_MAT) { Return (CMAT (58)) }
			Method (_OST, 3) { COS (58, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (58) }
		}
		Device (C059)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 59)
			Method (_STA) { Return (CSTA (59)) }
			Method (_MAT) { Return (CMAT (59)) }
			Method (_OST, 3) { COS (59, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (59) }
		}
		Device (C060)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 60)
			Method (_STA) { Return (CSTA (60)) }
			Method (_MAT) { Return (CMAT (60)) }
			Method (_OST, 3) { COS (60, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (60) }
		}
		Device (C061)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 61)
			Method (_STA) { Return (CSTA (61)) }
			Method (_MAT) { Return (CMAT (61)) }
			Method (_OST, 3) { COS (61, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (61) }
		}
		Device (C062)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 62)
			Method (_STA) { Return (CSTA (62)) }
			Method (_MAT) { Return (CMAT (62)) }
			Method (_OST, 3) { COS (62, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (62) }
		}
		Device (C063)
		{
			Name (_HID, "ACPI0007")
			Name (_UID, 63)
			Method (_STA) { Return (CSTA (63)) }
			Method (_MAT) { Return (CMAT (63)) }
			Method (_OST, 3) { COS (63, Arg0, Arg1) }
			Method (_EJ0, 1) { CEJ (63) }
		}

		// Notifies processor Arg0 of Arg1.
		Method (CNOT, 2)
		{
			If (Arg0 == 0) { Notify (C000, Arg1) }
			If (Arg0 == 1) { Notify (C001, Arg1) }
			If (Arg0 == 2) { Notify (C002, Arg1) }
			If (Arg0 == 3) { Notify (C003, Arg1) }
			If (Arg0 == 4) { Notify (C004, Arg1) }
			If (Arg0 == 5) { Notify (C005, Arg1) }
			If (Arg0 == 6) { Notify (C006, Arg1) }
			If (Arg0 == 7) { Notify (C007, Arg1) }
			If (Arg0 == 8) { Notify (C008, Arg1) }
			If (Arg0 == 9) { Notify (C009, Arg1) }
			If (Arg0 == 10) { Notify (C010, Arg1) }
			If (Arg0 == 11) { Notify (C011, Arg1) }
			If (Arg0 == 12) { Notify (C012, Arg1) }
			If (Arg0 == 13) { Notify (C013, Arg1) }
			If (Arg0 == 14) { Notify (C014, Arg1) }
			If (Arg0 == 15) { Notify (C015, Arg1) }
			If (Arg0 == 16) { Notify (C016, Arg1) }
			If (Arg0 == 17) { Notify (C017, Arg1) }
			If (Arg0 == 18) { Notify (C018, Arg1) }
			If (Arg0 == 19) { Notify (C019, Arg1) }
			If (Arg0 == 20) { Notify (C020, Arg1) }
			If (Arg0 == 21) { Notify (C021, Arg1) }
			If (Arg0 == 22) { Notify (C022, Arg1) }
			If (Arg0 == 23) { Notify (C023, Arg1) }
			If (Arg0 == 24) { Notify (C024, Arg1) }
			If (Arg0 == 25) { Notify (C025, Arg1) }
			If (Arg0 == 26) { Notify (C026, Arg1) }
			If (Arg0 == 27) { Notify (C027, Arg1) }
			If (Arg0 == 28) { Notify (C028, Arg1) }
			If (Arg0 == 29) { Notify (C029, Arg1) }
			If (Arg0 == 30) { Notify (C030, Arg1) }
			If (Arg0 == 31) { Notify (C031, Arg1) }
			If (Arg0 == 32) { Notify (C032, Arg1) }
			If (Arg0 == 33) { Notify (C033, Arg1) }
			If (Arg0 == 34) { Notify (C034, Arg1) }
			If (Arg0 == 35) { Notify (C035, Arg1) }
			If (Arg0 == 36) { Notify (C036, Arg1) }
			If (Arg0 == 37) { Notify (C037, Arg1) }
			If (Arg0 == 38) { Notify (C038, Arg1) }
			If (Arg0 == 39) { Notify (C039, Arg1) }
			If (Arg0 == 40) { Notify (C040, Arg1) }
			If (Arg0 == 41) { Notify (C041, Arg1) }
			If (Arg0 == 42) { Notify (C042, Arg1) }
			If (Arg0 == 43) { Notify (C043, Arg1) }
			If (Arg0 == 44) { Notify (C044, Arg1) }
			If (Arg0 == 45) { Notify (C045, Arg1) }
			If (Arg0 == 46) { Notify (C046, Arg1) }
			If (Arg0 == 47) { Notify (C047, Arg1) }
			If (Arg0 == 48) { Notify (C048, Arg1) }
			If (Arg0 == 49) { Notify (C049, Arg1) }
			If (Arg0 == 50) { Notify (C050, Arg1) }
			If (Arg0 == 51) { Notify (C051, Arg1) }
			If (Arg0 == 52) { Notify (C052, Arg1) }
			If (Arg0 == 53) { Notify (C053, Arg1) }
			If (Arg0 == 54) { Notify (C054, Arg1) }
			If (Arg0 == 55) { Notify (C055, Arg1) }
			If (Arg0 == 56) { Notify (C056, Arg1) }
			If (Arg0 == 57) { Notify (C057, Arg1) }
			If (Arg0 == 58) { Notify (C058, Arg1) }
			If (Arg0 == 59) { Notify (C059, Arg1) }
			If (Arg0 == 60) { Notify (C060, Arg1) }
			If (Arg0 == 61) { Notify (C061, Arg1) }
			If (Arg0 == 62) { Notify (C062, Arg1) }
			If (Arg0 == 63) { Notify (C063, Arg1) }
		}

		// Tells of all that has come and of all that is asked to go.
		Method (CSCN, 0, Serialized)
		{
			Acquire (CLCK, 0xffff)
			While (CNXT != 0xff)
			{
				Local0 = CNXT
				CSEL = Local0
				Local1 = CSTS
				CSTS = Local1 & 6
				If (Local1 & 2) { CNOT (Local0, 1) }
				If (Local1 & 4) { CNOT (Local0, 3) }
			}
			Release (CLCK)
		}
	}
}

Scope (_GPE)
{
	Method (_E02) { \_SB.CPUS.CSCN () }
}
