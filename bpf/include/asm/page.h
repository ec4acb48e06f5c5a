/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HEARTHWALL_PAGE_H
#define HEARTHWALL_PAGE_H
#define PAGE_SIZE 4096
#endif
