// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/boot/unpack.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <lz4.h>
#include <lzma.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

/* Each block of a legacy LZ4 frame but the last unpacks to this. */
#define LZ4_BLOCK (8u << 20)
#define LZ4_BLOCK_PACKED ((uint32_t)LZ4_COMPRESSBOUND(LZ4_BLOCK))
#define LZ4_HELPERS_MAX 3u
#define CHUNK (1u << 20)

struct format {
	const char *name;
	const char *magic;
	size_t magic_length;
	bool (*unpack)(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error);
};

#define LARGE_PAGE ((size_t)2 << 20)

static size_t whole_pages(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

void *unpack_scratch_new(size_t size)
{
	size_t length = whole_pages(size);
	uint8_t *at = mmap(NULL, length + LARGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (at == MAP_FAILED)
		g_error("out of memory");
	/* Large pages must begin at their own boundary. */
	before = -(uintptr_t)at & (LARGE_PAGE - 1);
	if (before)
		munmap(at, before);
	munmap(at + before + length, LARGE_PAGE - before);
	madvise(at + before, length, MADV_HUGEPAGE);
	return at + before;
}

void unpack_scratch_free(void *scratch, size_t size)
{
	munmap(scratch, whole_pages(size));
}

static bool damaged(const char *name, GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		_("its %s data are damaged or truncated"), name);
	return false;
}

static bool too_large(GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		_("it unpacks to more than %llu MiB"), UNPACK_MAX >> 20);
	return false;
}

static uint32_t read_le32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return GUINT32_FROM_LE(value);
}

struct lz4_block {
	const uint8_t *packed;
	uint32_t packed_length;
	int length; /* unpacked; not above 0: damaged */
};

/* The blocks of a frame, of which several threads take one after the other. */
struct lz4_frame {
	struct unpack_sink *sink;
	struct lz4_block *blocks;
	unsigned count;
	int next; /* atomic: the first that nobody has taken */
};

/* Linux appends the unpacked size: the last four bytes are no block. */
static bool find_lz4_blocks(const uint8_t *data, size_t length, GArray *blocks, GError **error)
{
	for (size_t at = 4; length - at > 4;) {
		struct lz4_block block = { data + at + 4, read_le32(data + at), 0 };

		at += 4;
		if (block.packed_length > length - at || block.packed_length > LZ4_BLOCK_PACKED)
			return damaged("LZ4", error);
		at += block.packed_length;
		g_array_append_val(blocks, block);
		if (blocks->len > UNPACK_MAX / LZ4_BLOCK)
			return too_large(error);
	}
	return blocks->len || damaged("LZ4", error);
}

static void unpack_lz4_block(struct lz4_block *block, uint8_t *to)
{
	block->length = LZ4_decompress_safe((const char *)block->packed, (char *)to,
		(int)block->packed_length, (int)LZ4_BLOCK);
}

/* Unpacks and puts blocks until there are no more: a thread's function. */
static void *unpack_lz4_rest(void *data)
{
	struct lz4_frame *frame = data;
	struct unpack_sink *sink = frame->sink;
	uint8_t *scratch = NULL;
	unsigned i;

	while ((i = (unsigned)g_atomic_int_add(&frame->next, 1)) < frame->count) {
		uint64_t offset = (uint64_t)i * LZ4_BLOCK;
		uint8_t *at = sink->room(sink, offset, LZ4_BLOCK);

		if (!at && !scratch)
			scratch = unpack_scratch_new(LZ4_BLOCK);
		unpack_lz4_block(&frame->blocks[i], at ? at : scratch);
		if (frame->blocks[i].length > 0)
			sink->put(sink, offset, at ? at : scratch, (size_t)frame->blocks[i].length);
	}
	if (scratch)
		unpack_scratch_free(scratch, LZ4_BLOCK);
	return NULL;
}

/* How many processors this process may use; without a look at files, which a sandboxed one that boots
 * its guest again could not have. */
static unsigned unpack_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* Most of the time that a stock kernel takes to load: every processor helps. */
static void unpack_lz4_together(struct lz4_frame *frame)
{
	GThread *helpers[LZ4_HELPERS_MAX];
	unsigned count = MIN(MIN(unpack_processors() - 1, LZ4_HELPERS_MAX), frame->count - 1);

	for (unsigned i = 0; i < count; i++)
		helpers[i] = g_thread_new("unpack", unpack_lz4_rest, frame);
	unpack_lz4_rest(frame);
	for (unsigned i = 0; i < count; i++)
		g_thread_join(helpers[i]);
}

/* The first block says where the others go. */
static bool unpack_lz4_first(struct lz4_frame *frame, GError **error)
{
	uint8_t *scratch = unpack_scratch_new(LZ4_BLOCK);
	bool ok;

	unpack_lz4_block(&frame->blocks[0], scratch);
	ok = frame->blocks[0].length > 0
		? frame->sink->take(frame->sink, scratch, (size_t)frame->blocks[0].length, error)
		: damaged("LZ4", error);
	unpack_scratch_free(scratch, LZ4_BLOCK);
	return ok;
}

/* The unpacked length of the frame; 0: a block is damaged. */
static uint64_t lz4_total(const struct lz4_frame *frame)
{
	unsigned last = frame->count - 1;

	for (unsigned i = 0; i < frame->count; i++)
		if (frame->blocks[i].length <= 0 ||
			(i < last && frame->blocks[i].length != (int)LZ4_BLOCK))
			return 0;
	return (uint64_t)last * LZ4_BLOCK + (uint64_t)frame->blocks[last].length;
}

static bool unpack_lz4(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	g_autoptr(GArray) blocks = g_array_new(FALSE, FALSE, sizeof(struct lz4_block));
	struct lz4_frame frame = { .sink = sink, .next = 1 };
	const struct lz4_block *last;
	uint64_t total;

	if (!find_lz4_blocks(data, length, blocks, error))
		return false;
	frame.blocks = (struct lz4_block *)(void *)blocks->data;
	frame.count = blocks->len;
	last = &frame.blocks[frame.count - 1];
	if (!unpack_lz4_first(&frame, error))
		return false;
	unpack_lz4_together(&frame);
	total = lz4_total(&frame);
	if (!total)
		return damaged("LZ4", error);
	sink->took(sink, total - (uint64_t)frame.blocks[0].length);
	if (data + length == last->packed + last->packed_length + 4 &&
		read_le32(data + length - 4) != (uint32_t)total)
		return damaged("LZ4", error);
	return true;
}

/* What gzip, xz and zstd have in common: fill a chunk, hand it on, until the end. */
struct stream {
	const char *name;
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
	bool ended;
	/* Goes on as far as input or output reach; false: damaged. */
	bool (*step)(struct stream *stream);
	void *codec;
};

static bool run_stream(struct stream *stream, struct unpack_sink *sink, GError **error)
{
	g_autofree uint8_t *chunk = g_malloc(CHUNK);
	uint64_t total = 0;

	while (!stream->ended) {
		size_t length;

		stream->out = chunk;
		stream->out_left = CHUNK;
		while (!stream->ended && stream->out_left) {
			size_t in_before = stream->in_left;
			size_t out_before = stream->out_left;

			if (!stream->step(stream) ||
				(!stream->ended && stream->in_left == in_before &&
					stream->out_left == out_before))
				return damaged(stream->name, error);
		}
		length = CHUNK - stream->out_left;
		total += length;
		if (total > UNPACK_MAX)
			return too_large(error);
		if (!sink->take(sink, chunk, length, error))
			return false;
	}
	return true;
}

static bool step_gzip(struct stream *stream)
{
	z_stream *z = stream->codec;
	int code;

	z->next_in = (Bytef *)stream->in;
	z->avail_in = (uInt)MIN(stream->in_left, 1u << 30);
	z->next_out = stream->out;
	z->avail_out = (uInt)stream->out_left;
	code = inflate(z, Z_NO_FLUSH);
	stream->in_left -= (size_t)(z->next_in - stream->in);
	stream->in = z->next_in;
	stream->out = z->next_out;
	stream->out_left = z->avail_out;
	stream->ended = code == Z_STREAM_END;
	return code == Z_OK || code == Z_STREAM_END;
}

static bool unpack_gzip(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	z_stream z = { 0 };
	struct stream stream = { .name = "gzip", .in = data, .in_left = length, .step = step_gzip,
		.codec = &z };
	bool ok;

	/* 16: a gzip header, not zlib's. */
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return damaged("gzip", error);
	ok = run_stream(&stream, sink, error);
	inflateEnd(&z);
	return ok;
}

static bool step_xz(struct stream *stream)
{
	lzma_stream *xz = stream->codec;
	lzma_ret code;

	xz->next_in = stream->in;
	xz->avail_in = stream->in_left;
	xz->next_out = stream->out;
	xz->avail_out = stream->out_left;
	code = lzma_code(xz, LZMA_RUN);
	stream->in = xz->next_in;
	stream->in_left = xz->avail_in;
	stream->out = xz->next_out;
	stream->out_left = xz->avail_out;
	stream->ended = code == LZMA_STREAM_END;
	return code == LZMA_OK || code == LZMA_STREAM_END;
}

static bool unpack_xz(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	struct stream stream = { .name = "xz", .in = data, .in_left = length, .step = step_xz,
		.codec = &xz };
	bool ok;

	/* The kernel's dictionaries are up to 128 MiB. */
	if (lzma_stream_decoder(&xz, 256u << 20, 0) != LZMA_OK)
		return damaged("xz", error);
	ok = run_stream(&stream, sink, error);
	lzma_end(&xz);
	return ok;
}

static bool step_zstd(struct stream *stream)
{
	ZSTD_inBuffer in = { stream->in, stream->in_left, 0 };
	ZSTD_outBuffer out = { stream->out, stream->out_left, 0 };
	size_t code = ZSTD_decompressStream(stream->codec, &out, &in);

	stream->in += in.pos;
	stream->in_left -= in.pos;
	stream->out += out.pos;
	stream->out_left -= out.pos;
	stream->ended = code == 0;
	return !ZSTD_isError(code);
}

static bool unpack_zstd(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	ZSTD_DStream *zstd = ZSTD_createDStream();
	struct stream stream = { .name = "zstd", .in = data, .in_left = length, .step = step_zstd,
		.codec = zstd };
	bool ok;

	g_assert(zstd);
	/* Linux packs with --ultra -22: a window of 128 MiB. */
	ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, 28);
	ok = run_stream(&stream, sink, error);
	ZSTD_freeDStream(zstd);
	return ok;
}

static bool pass_on(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	return sink->take(sink, data, length, error);
}

static const struct format formats[] = {
	{ "LZ4", "\x02\x21\x4c\x18", 4, unpack_lz4 },
	{ "gzip", "\x1f\x8b\x08", 3, unpack_gzip },
	{ "xz", "\xfd" "7zXZ\0", 6, unpack_xz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "ELF", "\x7f" "ELF", 4, pass_on },
};

static const struct format *identify(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (length >= formats[i].magic_length &&
			memcmp(data, formats[i].magic, formats[i].magic_length) == 0)
			return &formats[i];
	return NULL;
}

bool unpack_known(const uint8_t *data, size_t length)
{
	return identify(data, length) != NULL;
}

bool unpack(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error)
{
	const struct format *format = identify(data, length);

	if (!format) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			_("it is packed in a way the engine does not know"));
		return false;
	}
	return format->unpack(data, length, sink, error);
}
