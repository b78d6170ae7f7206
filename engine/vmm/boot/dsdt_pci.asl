// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * PCI hotplug (dev/pcihp.h): a device for each slot, which the guest can let go, and the event that
 * says which have come or are asked to go. Included by dsdt.asl, at its top level.
 */
Scope (_SB)
{
	Device (PHPR)
	{
		Name (_HID, EisaId ("PNP0C02"))
		Name (_UID, "PCI hotplug")
		Name (_CRS, ResourceTemplate ()
		{
			IO (Decode16, 0x0640, 0x0640, 1, 0x10)
		})
	}
}

Scope (_SB.PCI0)
{
	OperationRegion (HPRG, SystemIO, 0x0640, 0x10)
	Field (HPRG, DWordAcc, NoLock, WriteAsZeros)
	{
		HPUP, 32,
		HPDN, 32,
		HPEJ, 32,
		HPRF, 32
	}
	Mutex (HPLK, 0)

	// Slot Arg0 is let go.
	Method (HEJ, 1, Serialized)
	{
		Acquire (HPLK, 0xffff)
		HPEJ = (1 << Arg0)
		Release (HPLK)
	}

	// What came of event Arg1 in slot Arg0: an eject request (3, or 0x103 from the guest's own
	// side) that has failed. 0 is success, 0x80-0x8f are states of one still under way.
	Method (HOST, 3, Serialized)
	{
		If (((Arg1 == 3) || (Arg1 == 0x103)) && (Arg2 != 0) && ((Arg2 & 0xfc) != 0x84))
		{
			Acquire (HPLK, 0xffff)
			HPRF = (1 << Arg0)
			Release (HPLK)
		}
	}

	Device (S01)
	{
		Name (_ADR, 0x010000)
		Name (_SUN, 1)
		Method (_EJ0, 1) { HEJ (1) }
		Method (_OST, 3) { HOST (1, Arg0, Arg1) }
	}
	Device (S02)
	{
		Name (_ADR, 0x020000)
		Name (_SUN, 2)
		Method (_EJ0, 1) { HEJ (2) }
		Method (_OST, 3) { HOST (2, Arg0, Arg1) }
	}
	Device (S03)
	{
		Name (_ADR, 0x030000)
		Name (_SUN, 3)
		Method (_EJ0, 1) { HEJ (3) }
		Method (_OST, 3) { HOST (3, Arg0, Arg1) }
	}
	Device (S04)
	{
		Name (_ADR, 0x040000)
		Name (_SUN, 4)
		Method (_EJ0, 1) { HEJ (4) }
		Method (_OST, 3) { HOST (4, Arg0, Arg1) }
	}
	Device (S05)
	{
		Name (_ADR, 0x050000)
		Name (_SUN, 5)
		Method (_EJ0, 1) { HEJ (5) }
		Method (_OST, 3) { HOST (5, Arg0, Arg1) }
	}
	Device (S06)
	{
		Name (_ADR, 0x060000)
		Name (_SUN, 6)
		Method (_EJ0, 1) { HEJ (6) }
		Method (_OST, 3) { HOST (6, Arg0, Arg1) }
	}
	Device (S07)
	{
		Name (_ADR, 0x070000)
		Name (_SUN, 7)
		Method (_EJ0, 1) { HEJ (7) }
		Method (_OST, 3) { HOST (7, Arg0, Arg1) }
	}
	Device (S08)
	{
		Name (_ADR, 0x080000)
		Name (_SUN, 8)
		Method (_EJ0, 1) { HEJ (8) }
		Method (_OST, 3) { HOST (8, Arg0, Arg1) }
	}
	Device (S09)
	{
		Name (_ADR, 0x090000)
		Name (_SUN, 9)
		Method (_EJ0, 1) { HEJ (9) }
		Method (_OST, 3) { HOST (9, Arg0, Arg1) }
	}
	Device (S10)
	{
		Name (_ADR, 0x0a0000)
		Name (_SUN, 10)
		Method (_EJ0, 1) { HEJ (10) }
		Method (_OST, 3) { HOST (10, Arg0, Arg1) }
	}
	Device (S11)
	{
		Name (_ADR, 0x0b0000)
		Name (_SUN, 11)
		Method (_EJ0, 1) { HEJ (11) }
		Method (_OST, 3) { HOST (11, Arg0, Arg1) }
	}
	Device (S12)
	{
		Name (_ADR, 0x0c0000)
		Name (_SUN, 12)
		Method (_EJ0, 1) { HEJ (12) }
		Method (_OST, 3) { HOST (12, Arg0, Arg1) }
	}
	Device (S13)
	{
		Name (_ADR, 0x0d0000)
		Name (_SUN, 13)
		Method (_EJ0, 1) { HEJ (13) }
		Method (_OST, 3) { HOST (13, Arg0, Arg1) }
	}
	Device (S14)
	{
		Name (_ADR, 0x0e0000)
		Name (_SUN, 14)
		Method (_EJ0, 1) { HEJ (14) }
		Method (_OST, 3) { HOST (14, Arg0, Arg1) }
	}
	Device (S15)
	{
		Name (_ADR, 0x0f0000)
		Name (_SUN, 15)
		Method (_EJ0, 1) { HEJ (15) }
		Method (_OST, 3) { HOST (15, Arg0, Arg1) }
	}
	Device (S16)
	{
		Name (_ADR, 0x100000)
		Name (_SUN, 16)
		Method (_EJ0, 1) { HEJ (16) }
		Method (_OST, 3) { HOST (16, Arg0, Arg1) }
	}
	Device (S17)
	{
		Name (_ADR, 0x110000)
		Name (_SUN, 17)
		Method (_EJ0, 1) { HEJ (17) }
		Method (_OST, 3) { HOST (17, Arg0, Arg1) }
	}
	Device (S18)
	{
		Name (_ADR, 0x120000)
		Name (_SUN, 18)
		Method (_EJ0, 1) { HEJ (18) }
		Method (_OST, 3) { HOST (18, Arg0, Arg1) }
	}
	Device (S19)
	{
		Name (_ADR, 0x130000)
		Name (_SUN, 19)
		Method (_EJ0, 1) { HEJ (19) }
		Method (_OST, 3) { HOST (19, Arg0, Arg1) }
	}
	Device (S20)
	{
		Name (_ADR, 0x140000)
		Name (_SUN, 20)
		Method (_EJ0, 1) { HEJ (20) }
		Method (_OST, 3) { HOST (20, Arg0, Arg1) }
	}
	Device (S21)
	{
		Name (_ADR, 0x150000)
		Name (_SUN, 21)
		Method (_EJ0, 1) { HEJ (21) }
		Method (_OST, 3) { HOST (21, Arg0, Arg1) }
	}
	Device (S22)
	{
		Name (_ADR, 0x160000)
		Name (_SUN, 22)
		Method (_EJ0, 1) { HEJ (22) }
		Method (_OST, 3) { HOST (22, Arg0, Arg1) }
	}
	Device (S23)
	{
		Name (_ADR, 0x170000)
		Name (_SUN, 23)
		Method (_EJ0, 1) { HEJ (23) }
		Method (_OST, 3) { HOST (23, Arg0, Arg1) }
	}
	Device (S24)
	{
		Name (_ADR, 0x180000)
		Name (_SUN, 24)
		Method (_EJ0, 1) { HEJ (24) }
		Method (_OST, 3) { HOST (24, Arg0, Arg1) }
	}
	Device (S25)
	{
		Name (_ADR, 0x190000)
		Name (_SUN, 25)
		Method (_EJ0, 1) { HEJ (25) }
		Method (_OST, 3) { HOST (25, Arg0, Arg1) }
	}
	Device (S26)
	{
		Name (_ADR, 0x1a0000)
		Name (_SUN, 26)
		Method (_EJ0, 1) { HEJ (26) }
		Method (_OST, 3) { HOST (26, Arg0, Arg1) }
	}
	Device (S27)
	{
		Name (_ADR, 0x1b0000)
		Name (_SUN, 27)
		Method (_EJ0, 1) { HEJ (27) }
		Method (_OST, 3) { HOST (27, Arg0, Arg1) }
	}
	Device (S28)
	{
		Name (_ADR, 0x1c0000)
		Name (_SUN, 28)
		Method (_EJ0, 1) { HEJ (28) }
		Method (_OST, 3) { HOST (28, Arg0, Arg1) }
	}
	Device (S29)
	{
		Name (_ADR, 0x1d0000)
		Name (_SUN, 29)
		Method (_EJ0, 1) { HEJ (29) }
		Method (_OST, 3) { HOST (29, Arg0, Arg1) }
	}
	Device (S30)
	{
		Name (_ADR, 0x1e0000)
		Name (_SUN, 30)
		Method (_EJ0, 1) { HEJ (30) }
		Method (_OST, 3) { HOST (30, Arg0, Arg1) }
	}
	Device (S31)
	{
		Name (_ADR, 0x1f0000)
		Name (_SUN, 31)
		Method (_EJ0, 1) { HEJ (31) }
		Method (_OST, 3) { HOST (31, Arg0, Arg1) }
	}

	// Tells the slots of the bits in Arg0 that their devices have come (Arg1 is 1) or are asked to
	// go (3).
	Method (HNTF, 2)
	{
		If (Arg0 & 0x00000002) { Notify (S01, Arg1) }
		If (Arg0 & 0x00000004) { Notify (S02, Arg1) }
		If (Arg0 & 0x00000008) { Notify (S03, Arg1) }
		If (Arg0 & 0x00000010) { Notify (S04, Arg1) }
		If (Arg0 & 0x00000020) { Notify (S05, Arg1) }
		If (Arg0 & 0x00000040) { Notify (S06, Arg1) }
		If (Arg0 & 0x00000080) { Notify (S07, Arg1) }
		If (Arg0 & 0x00000100) { Notify (S08, Arg1) }
		If (Arg0 & 0x00000200) { Notify (S09, Arg1) }
		If (Arg0 & 0x00000400) { Notify (S10, Arg1) }
		If (Arg0 & 0x00000800) { Notify (S11, Arg1) }
		If (Arg0 & 0x00001000) { Notify (S12, Arg1) }
		If (Arg0 & 0x00002000) { Notify (S13, Arg1) }
		If (Arg0 & 0x00004000) { Notify (S14, Arg1) }
		If (Arg0 & 0x00008000) { Notify (S15, Arg1) }
		If (Arg0 & 0x00010000) { Notify (S16, Arg1) }
		If (Arg0 & 0x00020000) { Notify (S17, Arg1) }
		If (Arg0 & 0x00040000) { Notify (S18, Arg1) }
		If (Arg0 & 0x00080000) { Notify (S19, Arg1) }
		If (Arg0 & 0x00100000) { Notify (S20, Arg1) }
		If (Arg0 & 0x00200000) { Notify (S21, Arg1) }
		If (Arg0 & 0x00400000) { Notify (S22, Arg1) }
		If (Arg0 & 0x00800000) { Notify (S23, Arg1) }
		If (Arg0 & 0x01000000) { Notify (S24, Arg1) }
		If (Arg0 & 0x02000000) { Notify (S25, Arg1) }
		If (Arg0 & 0x04000000) { Notify (S26, Arg1) }
		If (Arg0 & 0x08000000) { Notify (S27, Arg1) }
		If (Arg0 & 0x10000000) { Notify (S28, Arg1) }
		If (Arg0 & 0x20000000) { Notify (S29, Arg1) }
		If (Arg0 & 0x40000000) { Notify (S30, Arg1) }
		If (Arg0 & 0x80000000) { Notify (S31, Arg1) }
	}

	Method (HSCN, 0, Serialized)
	{
		Acquire (HPLK, 0xffff)
		HNTF (HPUP, 1)
		HNTF (HPDN, 3)
		Release (HPLK)
	}
}

Scope (_GPE)
{
	Method (_E01)
	{
		\_SB.PCI0.HSCN ()
	}
}
