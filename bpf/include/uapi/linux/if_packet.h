/* SPDX-License-Identifier: GPL-2.0 */
/* bcc asks for this file; nothing in it is used. */
