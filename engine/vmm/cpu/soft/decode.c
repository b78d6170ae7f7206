// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/decode.h"

#include <string.h>

static const struct soft_opcode *const soft_tables[] = {
	soft_alu_table,
	soft_move_table,
	soft_shift_table,
	soft_mul_table,
	soft_bit_table,
	soft_flow_table,
	soft_string_table,
	soft_misc_table,
	soft_system_table,
	soft_x87_table,
	soft_mmx_table,
	soft_sse_table,
};

#define INSN_MAX 15
#define ROW_NONE 0xffff

/* Rows by map and opcode: the first, and from each the next, in the tables' order. */
struct decode_index {
	const struct soft_opcode **rows;
	unsigned count;
	uint16_t first[SOFT_MAPS][256];
	uint16_t *next[SOFT_MAPS]; /* by opcode within the row's span, see index_next() */
};

static struct decode_index the_index;

static unsigned row_span(const struct soft_opcode *row)
{
	return row->flags & SOFT_REG_IN_OPCODE ? 8 : row->flags & SOFT_CC_IN_OPCODE ? 16 : 1;
}

/* Chains are kept per (row, place in span), 16 places to a row. */
static uint16_t *index_next(unsigned row, unsigned place)
{
	return &the_index.next[0][row * 16 + place];
}

static void index_add(unsigned number)
{
	const struct soft_opcode *row = the_index.rows[number];
	for (unsigned place = 0; place < row_span(row); place++) {
		unsigned opcode = row->opcode + place;
		uint16_t *slot = &the_index.first[row->map][opcode];
		while (*slot != ROW_NONE)
			slot = index_next(*slot, opcode - the_index.rows[*slot]->opcode);
		*slot = number;
	}
}

static void index_build(void)
{
	GPtrArray *rows = g_ptr_array_new();
	for (unsigned table = 0; table < G_N_ELEMENTS(soft_tables); table++)
		for (const struct soft_opcode *row = soft_tables[table]; row->name; row++)
			g_ptr_array_add(rows, (gpointer)row);
	the_index.count = rows->len;
	the_index.rows = (const struct soft_opcode **)g_ptr_array_free(rows, FALSE);
	the_index.next[0] = g_new(uint16_t, the_index.count * 16);
	memset(the_index.next[0], 0xff, the_index.count * 16 * sizeof(uint16_t));
	memset(the_index.first, 0xff, sizeof the_index.first);
	for (unsigned number = 0; number < the_index.count; number++)
		index_add(number);
}

static const struct decode_index *index_get(void)
{
	static gsize built;
	if (g_once_init_enter(&built)) {
		index_build();
		g_once_init_leave(&built, 1);
	}
	return &the_index;
}

unsigned soft_opcodes(void)
{
	return index_get()->count;
}

const struct soft_opcode *soft_opcode_at(unsigned row)
{
	g_assert(row < the_index.count);
	return the_index.rows[row];
}

/* The bytes being decoded. Past the end `short_of` is set and zeros are read. */
struct decode_bytes {
	const uint8_t *bytes;
	unsigned at, available;
	bool short_of;
};

static uint8_t peek_byte(struct decode_bytes *in)
{
	if (in->at < in->available)
		return in->bytes[in->at];
	in->short_of = true;
	return 0;
}

static uint8_t take_byte(struct decode_bytes *in)
{
	uint8_t byte = peek_byte(in);
	in->at++;
	return byte;
}

static uint64_t take(struct decode_bytes *in, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)take_byte(in) << (8 * i);
	return value;
}

static int64_t take_signed(struct decode_bytes *in, unsigned size)
{
	uint64_t value = take(in, size);
	unsigned unused = 64 - 8 * size;
	return (int64_t)(value << unused) >> unused;
}

static bool prefix_segment(uint8_t byte, uint8_t *seg)
{
	switch (byte) {
	case 0x26:
		*seg = SOFT_ES;
		return true;
	case 0x2e:
		*seg = SOFT_CS;
		return true;
	case 0x36:
		*seg = SOFT_SS;
		return true;
	case 0x3e:
		*seg = SOFT_DS;
		return true;
	case 0x64:
		*seg = SOFT_FS;
		return true;
	case 0x65:
		*seg = SOFT_GS;
		return true;
	default:
		return false;
	}
}

/* One legacy prefix; false when the byte is none. */
static bool decode_prefix(struct soft_decode *d, uint8_t byte, bool *address_size)
{
	uint8_t seg;
	switch (byte) {
	case 0x66:
		d->prefixes |= SOFT_HAS_66;
		return true;
	case 0x67:
		*address_size = true;
		return true;
	case 0xf0:
		d->prefixes |= SOFT_HAS_LOCK;
		return true;
	case 0xf2:
		d->prefixes = (d->prefixes & ~SOFT_HAS_REP) | SOFT_HAS_REPNE;
		return true;
	case 0xf3:
		d->prefixes = (d->prefixes & ~SOFT_HAS_REPNE) | SOFT_HAS_REP;
		return true;
	}
	if (!prefix_segment(byte, &seg))
		return false;
	/* In 64-bit mode only FS and GS mean anything, and the others do not undo them. */
	if (!(d->mode & SOFT_MODE_CODE64) || seg >= SOFT_FS)
		d->seg = seg;
	return true;
}

static void decode_prefixes(struct soft_decode *d, struct decode_bytes *in)
{
	bool address_size = false;
	bool long64 = d->mode & SOFT_MODE_CODE64;
	for (; in->at <= INSN_MAX && !in->short_of; in->at++) {
		uint8_t byte = peek_byte(in);
		if (long64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else if (decode_prefix(d, byte, &address_size))
			d->rex = 0;
		else
			break;
	}
	if (d->rex)
		d->prefixes |= SOFT_HAS_REX | (d->rex & 8 ? SOFT_HAS_REX_W : 0);
	if (long64)
		d->asize = address_size ? 4 : 8;
	else
		d->asize = !(d->mode & SOFT_MODE_CODE32) == address_size ? 4 : 2;
}

static enum soft_map decode_opcode(struct soft_decode *d, struct decode_bytes *in)
{
	d->opcode = take_byte(in);
	if (d->opcode != 0x0f)
		return SOFT_MAP_1;
	d->opcode = take_byte(in);
	if (d->opcode != 0x38 && d->opcode != 0x3a)
		return SOFT_MAP_0F;
	enum soft_map map = d->opcode == 0x38 ? SOFT_MAP_38 : SOFT_MAP_3A;
	d->opcode = take_byte(in);
	return map;
}

static bool prefix_fits(const struct soft_opcode *row, uint8_t prefixes)
{
	unsigned have = prefixes & SOFT_HAS_REP     ? SOFT_P_F3
			: prefixes & SOFT_HAS_REPNE ? SOFT_P_F2
			: prefixes & SOFT_HAS_66    ? SOFT_P_66
						    : SOFT_P_NONE;
	return row->prefix == SOFT_P_ANY || row->prefix == have;
}

static bool modrm_fits(const struct soft_opcode *row, uint8_t modrm)
{
	bool reg = modrm >= 0xc0;
	if ((row->modrm == SOFT_M_MEM && reg) || (row->modrm == SOFT_M_REG && !reg))
		return false;
	if (row->digit && row->digit - 1 != (modrm >> 3 & 7))
		return false;
	return !row->rm || row->rm - 1 == (modrm & 7);
}

static bool row_fits(const struct soft_opcode *row, const struct soft_decode *d)
{
	if (row->flags & (d->mode & SOFT_MODE_CODE64 ? SOFT_NO64 : SOFT_ONLY64))
		return false;
	if (row->flags & (d->prefixes & SOFT_HAS_REX_W ? SOFT_NO_REX_W : SOFT_REX_W_ONLY))
		return false;
	return prefix_fits(row, d->prefixes) &&
	       (row->modrm == SOFT_M_NONE || modrm_fits(row, d->modrm));
}

static unsigned find_row(const struct soft_decode *d, enum soft_map map)
{
	const struct decode_index *index = index_get();
	unsigned row = index->first[map][d->opcode];
	while (row != ROW_NONE && !row_fits(index->rows[row], d))
		row = *index_next(row, d->opcode - index->rows[row]->opcode);
	return row;
}

/* Could a ModRM byte that is not there yet still make it a row? */
static bool wants_modrm(const struct soft_decode *d, enum soft_map map)
{
	const struct decode_index *index = index_get();
	unsigned row = index->first[map][d->opcode];
	while (row != ROW_NONE && index->rows[row]->modrm == SOFT_M_NONE)
		row = *index_next(row, d->opcode - index->rows[row]->opcode);
	return row != ROW_NONE;
}

static unsigned operand_size(const struct soft_decode *d, const struct soft_opcode *row)
{
	bool long64 = d->mode & SOFT_MODE_CODE64;
	/* A mandatory 66 is no operand size. */
	bool small = d->prefixes & SOFT_HAS_66 && row->prefix != SOFT_P_66;
	bool wide = d->prefixes & SOFT_HAS_REX_W;
	bool code32 = d->mode & (SOFT_MODE_CODE32 | SOFT_MODE_CODE64);
	unsigned plain = code32 != small ? 4 : 2;
	switch (row->size) {
	case SOFT_S_8:
		return 1;
	case SOFT_S_16:
		return 2;
	case SOFT_S_32:
		return 4;
	case SOFT_S_64:
		return 8;
	case SOFT_S_V64:
		return long64 ? (small && !wide ? 2 : 8) : plain;
	case SOFT_S_F64:
		return long64 ? 8 : plain;
	case SOFT_S_Y:
		return long64 ? 8 : 4;
	case SOFT_S_D:
		return wide ? 8 : 4;
	default:
		return wide ? 8 : plain;
	}
}

/* 16-bit addressing (SDM volume 2, table 2-1). */
static void decode_memory16(struct soft_insn *insn, uint8_t modrm, struct decode_bytes *in)
{
	static const uint8_t bases[8] = {
		SOFT_RBX, SOFT_RBX, SOFT_RBP, SOFT_RBP, SOFT_RSI, SOFT_RDI, SOFT_RBP, SOFT_RBX};
	static const uint8_t indexes[8] = {
		SOFT_RSI, SOFT_RDI, SOFT_RSI, SOFT_RDI, SOFT_ZERO, SOFT_ZERO, SOFT_ZERO, SOFT_ZERO};
	unsigned mod = modrm >> 6, rm = modrm & 7;
	insn->base = mod == 0 && rm == 6 ? SOFT_ZERO : bases[rm];
	insn->index = indexes[rm];
	if (mod == 2 || insn->base == SOFT_ZERO)
		insn->disp = take_signed(in, 2);
	else if (mod == 1)
		insn->disp = take_signed(in, 1);
}

static void decode_sib(struct soft_insn *insn, const struct soft_decode *d, struct decode_bytes *in)
{
	uint8_t sib = take_byte(in);
	unsigned index = (sib >> 3 & 7) | (d->rex & 2 ? 8 : 0);
	insn->base = (sib & 7) | (d->rex & 1 ? 8 : 0);
	if (index != 4) {
		insn->index = index;
		insn->scale = sib >> 6;
	}
	if ((sib & 7) == 5 && d->modrm < 0x40) {
		insn->base = SOFT_ZERO;
		insn->disp = take_signed(in, 4);
	}
}

static void decode_memory(
	struct soft_insn *insn, const struct soft_decode *d, struct decode_bytes *in)
{
	unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
	if (d->asize == 2) {
		decode_memory16(insn, d->modrm, in);
		return;
	}
	if (rm == 4) {
		decode_sib(insn, d, in);
	} else if (mod == 0 && rm == 5) {
		insn->base = d->mode & SOFT_MODE_CODE64 ? SOFT_ORIGIN : SOFT_ZERO;
		insn->disp = take_signed(in, 4);
	} else {
		insn->base = rm | (d->rex & 1 ? 8 : 0);
	}
	if (mod == 1)
		insn->disp = take_signed(in, 1);
	else if (mod == 2)
		insn->disp = take_signed(in, 4);
}

static uint64_t decode_immediate(
	struct soft_insn *insn, const struct soft_decode *d, struct decode_bytes *in)
{
	unsigned size = insn->size;
	unsigned z = size == 2 ? 2 : 4;
	switch (d->row->imm) {
	case SOFT_I_8:
		return take(in, 1);
	case SOFT_I_8S:
	case SOFT_I_REL8:
		return take_signed(in, 1);
	case SOFT_I_16:
		return take(in, 2);
	case SOFT_I_Z:
	case SOFT_I_RELZ:
		return take_signed(in, z);
	case SOFT_I_V:
		return take(in, size);
	case SOFT_I_MOFFS:
		insn->memory = 1;
		insn->disp = take(in, d->asize);
		return 0;
	case SOFT_I_FAR: {
		uint64_t offset = take(in, z);
		return offset | take(in, 2) << 32;
	}
	case SOFT_I_16_8: {
		uint64_t low = take(in, 2);
		return low | take(in, 1) << 16;
	}
	default:
		return 0;
	}
}

/* How the memory operand's sum becomes a linear address. */
static void decode_address(struct soft_insn *insn, const struct soft_decode *d)
{
	bool long64 = d->mode & SOFT_MODE_CODE64;
	insn->seg = d->seg != 0xff                                     ? d->seg
		    : insn->base == SOFT_RSP || insn->base == SOFT_RBP ? SOFT_SS
								       : SOFT_DS;
	insn->address = SOFT_ADDRESS_SEGMENT;
	if (long64 && d->asize == 8) {
		if (insn->seg < SOFT_FS) {
			insn->address = SOFT_ADDRESS_FLAT;
		} else if (insn->index == SOFT_ZERO && insn->memory) {
			insn->index = insn->seg == SOFT_FS ? SOFT_FS_BASE : SOFT_GS_BASE;
			insn->address = SOFT_ADDRESS_FLAT;
		}
	} else if (!long64 && d->mode & SOFT_MODE_FLAT && d->asize == 4 && insn->seg < SOFT_FS &&
		   insn->seg != SOFT_CS) {
		insn->address = SOFT_ADDRESS_FLAT32;
	}
}

static uint8_t byte_register(const struct soft_decode *d, unsigned reg)
{
	bool high = !(d->prefixes & SOFT_HAS_REX) && reg >= 4 && reg < 8;
	return high ? (reg - 4) * 8 + 1 : reg * 8;
}

static void decode_registers(struct soft_insn *insn, const struct soft_decode *d)
{
	const struct soft_opcode *row = d->row;
	unsigned rm_extra = d->rex & 1 ? 8 : 0;
	insn->reg = (d->modrm >> 3 & 7) | (d->rex & 4 ? 8 : 0);
	insn->rm = (d->modrm & 7) | rm_extra;
	if (row->flags & SOFT_REG_IN_OPCODE)
		insn->rm = (d->opcode & 7) | rm_extra;
	if (row->flags & SOFT_FP)
		return;
	if (insn->size == 1)
		insn->reg = byte_register(d, insn->reg);
	if (insn->size == 1 || row->flags & SOFT_MODRM_SIZE8_RM)
		insn->rm = byte_register(d, insn->rm);
}

/* What needs the instruction's end: RIP-relative operands and branch targets. */
static void decode_relative(struct soft_insn *insn, const struct soft_decode *d)
{
	int64_t end = insn->offset + insn->length;
	if (insn->base == SOFT_ORIGIN)
		insn->disp += end;
	if (d->row->imm == SOFT_I_REL8 || d->row->imm == SOFT_I_RELZ)
		insn->imm += end;
}

static void decode_operands(struct soft_insn *insn, struct soft_decode *d, struct decode_bytes *in)
{
	const struct soft_opcode *row = d->row;
	d->osize = insn->size = operand_size(d, row);
	insn->asize = d->asize;
	insn->prefixes = d->prefixes;
	insn->base = insn->index = SOFT_ZERO;
	if (row->modrm != SOFT_M_NONE)
		in->at++;
	insn->memory = row->modrm != SOFT_M_NONE && row->modrm != SOFT_M_MOVCR && d->modrm < 0xc0;
	if (insn->memory)
		decode_memory(insn, d, in);
	insn->imm = decode_immediate(insn, d, in);
	decode_registers(insn, d);
	insn->length = d->length = in->at;
	decode_relative(insn, d);
	decode_address(insn, d);
}

static bool decode_finish(struct soft_insn *insn, struct soft_decode *d)
{
	const struct soft_opcode *row = d->row;
	if (d->prefixes & SOFT_HAS_LOCK && !(row->flags & SOFT_LOCK && insn->memory))
		return false;
	if (row->flags & SOFT_PROTECTED_ONLY &&
		(!(d->mode & SOFT_MODE_PROTECTED) || d->mode & SOFT_MODE_V86))
		return false;
	insn->run = row->flags & SOFT_END ? soft_op_system : soft_op_call;
	insn->fn = row->fn;
	if (row->pick && !row->pick(insn, d))
		return false;
	return row->fn || row->pick;
}

int soft_decode(struct soft_insn *insn, const uint8_t *bytes, unsigned available, uint32_t mode)
{
	struct soft_decode d = {.bytes = bytes, .mode = mode, .seg = 0xff};
	struct decode_bytes in = {.bytes = bytes, .available = MIN(available, INSN_MAX)};
	unsigned offset = insn->offset;
	memset(insn, 0, sizeof *insn);
	insn->offset = offset;

	decode_prefixes(&d, &in);
	enum soft_map map = decode_opcode(&d, &in);
	unsigned row = ROW_NONE;
	if (!in.short_of) {
		struct decode_bytes ahead = in;
		d.modrm = peek_byte(&ahead);
		row = find_row(&d, map);
		bool modrm = row == ROW_NONE ? wants_modrm(&d, map)
					     : the_index.rows[row]->modrm != SOFT_M_NONE;
		in.short_of = ahead.short_of && modrm;
	}
	if (row != ROW_NONE && !in.short_of) {
		d.row = the_index.rows[row];
		insn->row = row;
		decode_operands(insn, &d, &in);
	}
	if (in.short_of)
		return available < INSN_MAX ? SOFT_DECODE_MORE : SOFT_DECODE_LONG;
	if (row == ROW_NONE || !decode_finish(insn, &d))
		return SOFT_DECODE_INVALID;
	return insn->length;
}
