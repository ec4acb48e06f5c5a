// How the device view looks.

import { css } from "lit";

export const view = css`
  :host {
    container: device / inline-size;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
    padding: 16px 16px 8px;
    padding-inline-end: calc(16px + var(--hearthwall-head-space, 0px));
  }
  .grow {
    flex: 1;
    min-width: 0;
  }
  h2 {
    margin: 0 0 4px;
    font-size: var(--ha-card-header-font-size, 20px);
    font-weight: 400;
    line-height: 28px;
  }
  header .grow {
    flex-basis: 180px;
  }
  h3 {
    margin: 0 0 8px;
    font-size: 14px;
    font-weight: 500;
    line-height: 20px;
  }
  p {
    margin: 0 0 6px;
    line-height: 20px;
  }
  p.secondary {
    font-size: 14px;
    line-height: 20px;
  }
  .wrap {
    overflow-wrap: anywhere;
  }
  .chip {
    display: inline-block;
    padding: 2px 8px;
    margin-inline-end: 4px;
    border-radius: 10px;
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--primary-text-color) 10%, transparent);
  }
  .chip.good {
    background: color-mix(in srgb, var(--success-color, #43a047) 24%, transparent);
  }
  .chip.held {
    background: color-mix(in srgb, var(--warning-color, #ffa600) 24%, transparent);
  }
  .chip.bad {
    background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
  }
  .sections {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 20px 32px;
    padding: 4px 16px 16px;
  }
  .sections > div {
    display: flex;
    flex-direction: column;
    gap: 20px;
  }
  .tiles {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 12px;
    margin: 12px 0 16px;
  }
  .tile {
    min-width: 0;
    padding: 8px 12px;
    border: 1px solid var(--hearthwall-line);
    border-radius: 12px;
  }
  .large {
    font-size: 20px;
    line-height: 28px;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  hearthwall-sparkline {
    height: 56px;
    margin-bottom: 16px;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    padding: 6px 0;
  }
  li + li.rule {
    border-top: 1px solid color-mix(in srgb, var(--hearthwall-line) 60%, transparent);
  }
  .line {
    display: flex;
    align-items: center;
    gap: 8px;
    line-height: 20px;
  }
  .line b {
    font-weight: 500;
  }
  .figure {
    text-align: end;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .share {
    min-width: 36px;
  }
  /* Figures stand below each other, whatever stands beside them */
  @supports (grid-template-columns: subgrid) {
    .peers {
      display: grid;
      grid-template-columns: minmax(0, 1fr) repeat(4, auto);
      column-gap: 8px;
    }
    .peers li,
    .peers .line {
      display: grid;
      grid-column: 1 / -1;
      grid-template-columns: subgrid;
    }
    .peers .bar {
      grid-column: 1 / -1;
    }
    .peers button {
      width: 100%;
    }
  }
  .bar {
    height: 4px;
    margin-top: 4px;
    border-radius: 2px;
    overflow: hidden;
    background: color-mix(in srgb, var(--primary-text-color) 8%, transparent);
  }
  .bar div {
    height: 100%;
    min-width: 2px;
    border-radius: 2px;
    background: var(--hearthwall-download);
  }
  @container device (min-width: 760px) {
    .sections {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
  }
`;
