/* SPDX-License-Identifier: GPL-2.0 */
/* bcc's copy of bpf.h asks for this file; the instruction encodings in it are for assemblers. */
