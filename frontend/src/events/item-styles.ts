// How an event looks, in whichever list it is.

import { css } from "lit";

export const itemStyles = css`
  .events {
    container-type: inline-size;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .event {
    padding: 0;
    --severity: var(--secondary-text-color);
    border-radius: 12px;
  }
  .event.low {
    --severity: var(--info-color, #039be5);
  }
  .event.medium {
    --severity: var(--warning-color, #ffa600);
  }
  .event.high,
  .event.critical {
    --severity: var(--error-color, #db4437);
  }
  .event.open {
    margin: 4px 0;
    background: color-mix(in srgb, var(--primary-text-color) 4%, transparent);
  }
  /* A bar, not a tint: grey words on a tint are too faint to read while it fades */
  .fresh .line {
    animation: fresh 3s ease-out;
  }
  @keyframes fresh {
    from {
      box-shadow: inset 4px 0 var(--severity);
    }
    to {
      box-shadow: inset 4px 0 transparent;
    }
  }
  button.line {
    display: flex;
    align-items: flex-start;
    gap: 12px;
    width: 100%;
    min-height: 56px;
    padding: 8px;
    border-radius: 12px;
    font-weight: 400;
    text-align: start;
  }
  button.line:hover {
    background: color-mix(in srgb, var(--primary-text-color) 4%, transparent);
    filter: none;
  }
  .line:focus-visible {
    outline-offset: -2px;
  }
  svg {
    display: block;
    width: 24px;
    height: 24px;
    fill: currentColor;
  }
  .badge {
    flex: none;
    padding: 8px;
    border-radius: 50%;
    color: var(--severity);
    background: color-mix(in srgb, var(--severity) 16%, transparent);
  }
  .critical .badge {
    color: #fff;
    background: var(--severity);
  }
  .words {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-width: 0;
    line-height: 20px;
  }
  .first {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0 8px;
  }
  .kind {
    font-weight: 500;
  }
  .severity {
    flex: none;
    padding: 0 8px;
    border-radius: 10px;
    font-size: 12px;
    background: color-mix(in srgb, var(--severity) 18%, transparent);
  }
  time {
    flex: none;
    margin-inline-start: auto;
    font-size: 12px;
    color: var(--secondary-text-color);
  }
  /* Each is cut by itself: a program may be called anything, at any length */
  .second {
    display: flex;
    white-space: pre;
  }
  .second > span {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .peer,
  .summary {
    color: var(--secondary-text-color);
  }
  .summary {
    display: -webkit-box;
    overflow: hidden;
    overflow-wrap: anywhere;
    font-size: 13px;
    line-height: 18px;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    line-clamp: 2;
  }
  .open .summary {
    display: block;
  }
  .chevron {
    flex: none;
    align-self: center;
    color: var(--secondary-text-color);
    transition: transform 0.2s ease;
  }
  .chevron svg {
    width: 20px;
    height: 20px;
  }
  .open .chevron {
    transform: rotate(180deg);
  }
  .details {
    padding: 0 12px 16px 60px;
    line-height: 20px;
    overflow-wrap: anywhere;
  }
  .details p {
    margin: 4px 0 8px;
  }
  .advice {
    display: flex;
    gap: 8px;
  }
  .advice svg {
    flex: none;
    width: 20px;
    height: 20px;
    color: var(--primary-color);
  }
  .orders {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 12px 0;
  }
  .orders button {
    max-width: 100%;
    min-height: 36px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .orders .cut {
    color: color-mix(in srgb, var(--error-color) 65%, var(--primary-text-color));
    background: color-mix(in srgb, var(--error-color) 12%, transparent);
  }
  h4,
  h5,
  caption {
    margin: 12px 0 4px;
    font-size: 13px;
    font-weight: 500;
    text-align: start;
    color: var(--secondary-text-color);
  }
  dl {
    margin: 0;
  }
  dl div {
    display: flex;
    gap: 12px;
    padding: 2px 0;
    font-size: 13px;
  }
  dt {
    flex: 0 0 128px;
    color: var(--secondary-text-color);
  }
  dd {
    min-width: 0;
    margin: 0;
  }
  a {
    color: inherit;
  }
  table {
    width: 100%;
    margin-top: 8px;
    border-collapse: collapse;
    font-size: 12px;
    table-layout: auto;
  }
  th {
    font-weight: 500;
    color: var(--secondary-text-color);
  }
  th,
  td {
    padding: 4px 8px 4px 0;
    text-align: start;
    border-bottom: 1px solid var(--divider-color);
  }
  .number {
    padding-right: 0;
    text-align: end;
    white-space: nowrap;
  }
  .mono {
    font-family: var(--ha-font-family-code, ui-monospace, monospace);
    font-size: 12px;
  }
  .chain {
    margin: 0;
    padding-inline-start: 20px;
    font-size: 13px;
  }
  @container (max-width: 420px) {
    .details {
      padding-inline-start: 12px;
    }
    dl div {
      flex-direction: column;
      gap: 0;
    }
    dt {
      flex-basis: auto;
    }
  }
`;
