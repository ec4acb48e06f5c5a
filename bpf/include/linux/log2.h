/* SPDX-License-Identifier: GPL-2.0 */
/* bcc's helpers.h asks for this file; nothing in it is used. */
