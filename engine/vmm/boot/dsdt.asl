// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the guest is told of the machine's parts that it cannot find by itself. Addresses are those
 * of layout.h; SERP is filled in by acpi.c.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "LODGE", "LODGEVMM", 1)
{
	// Soft off: the value for SLP_TYP (pm.h).
	Name (_S5, Package () { 5, 5, 0, 0 })

	Scope (_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_SEG, 0)
			Name (_BBN, 0)
			Name (_UID, 0)

			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0000, 0x0cf7, 0, 0x0cf8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0d00, 0xffff, 0, 0xf300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0xe8000000, 0xfdffffff, 0, 0x16000000)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0x8000000000, 0x8fffffffff, 0, 0x1000000000)
			})

			// INTA# of slot s is GSI 16 + s % 8.
			Method (_PRT, 0, Serialized)
			{
				Local0 = Package (32) {}
				Local1 = 0
				While (Local1 < 32)
				{
					Local2 = Package (4) { 0, 0, 0, 0 }
					Local2[0] = (Local1 << 16) | 0xffff
					Local2[3] = 16 + (Local1 & 7)
					Local0[Local1] = Local2
					Local1++
				}
				Return (Local0)
			}
		}

		// The ranges that are nobody's to assign: ECAM, and the ACPI ports.
		Device (MRES)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xe0000000, 0x00100000)
				IO (Decode16, 0x0600, 0x0600, 1, 0x28)
				IO (Decode16, 0x04d0, 0x04d0, 1, 2)
			})
		}

		Device (RTC0)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 1, 2)
				IRQNoFlags () { 8 }
			})
		}

		// Where the kernel says that it has crashed (dev/pvpanic.h).
		Device (PEVT)
		{
			Name (_HID, "QEMU0001")
			Name (_STA, 0x0b)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0505, 0x0505, 1, 1)
			})
		}

		// The definition's serial ports: one bit each in the byte SERP.
		Name (SERP, 0xA5)

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Method (_STA) { If (SERP & 1) { Return (0x0f) } Return (0) }
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03f8, 0x03f8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}

		Device (COM2)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 2)
			Method (_STA) { If (SERP & 2) { Return (0x0f) } Return (0) }
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x02f8, 0x02f8, 1, 8)
				IRQNoFlags () { 3 }
			})
		}

		Device (COM3)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 3)
			Method (_STA) { If (SERP & 4) { Return (0x0f) } Return (0) }
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03e8, 0x03e8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}

		Device (COM4)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 4)
			Method (_STA) { If (SERP & 8) { Return (0x0f) } Return (0) }
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x02e8, 0x02e8, 1, 8)
				IRQNoFlags () { 3 }
			})
		}
	}

	Include ("dsdt_cpu.asl")
	Include ("dsdt_pci.asl")
}
