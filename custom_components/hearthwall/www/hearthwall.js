const _t = globalThis, An = _t.ShadowRoot && (_t.ShadyCSS === void 0 || _t.ShadyCSS.nativeShadow) && "adoptedStyleSheets" in Document.prototype && "replace" in CSSStyleSheet.prototype, Sn = Symbol(), fs = /* @__PURE__ */ new WeakMap();
let mi = class {
  constructor(e, t, s) {
    if (this._$cssResult$ = !0, s !== Sn) throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");
    this.cssText = e, this.t = t;
  }
  get styleSheet() {
    let e = this.o;
    const t = this.t;
    if (An && e === void 0) {
      const s = t !== void 0 && t.length === 1;
      s && (e = fs.get(t)), e === void 0 && ((this.o = e = new CSSStyleSheet()).replaceSync(this.cssText), s && fs.set(t, e));
    }
    return e;
  }
  toString() {
    return this.cssText;
  }
};
const $o = (n) => new mi(typeof n == "string" ? n : n + "", void 0, Sn), q = (n, ...e) => {
  const t = n.length === 1 ? n[0] : e.reduce((s, i, o) => s + ((a) => {
    if (a._$cssResult$ === !0) return a.cssText;
    if (typeof a == "number") return a;
    throw Error("Value passed to 'css' function must be a 'css' function result: " + a + ". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.");
  })(i) + n[o + 1], n[0]);
  return new mi(t, n, Sn);
}, xo = (n, e) => {
  if (An) n.adoptedStyleSheets = e.map((t) => t instanceof CSSStyleSheet ? t : t.styleSheet);
  else for (const t of e) {
    const s = document.createElement("style"), i = _t.litNonce;
    i !== void 0 && s.setAttribute("nonce", i), s.textContent = t.cssText, n.appendChild(s);
  }
}, vs = An ? (n) => n : (n) => n instanceof CSSStyleSheet ? ((e) => {
  let t = "";
  for (const s of e.cssRules) t += s.cssText;
  return $o(t);
})(n) : n;
const { is: _o, defineProperty: ko, getOwnPropertyDescriptor: Ao, getOwnPropertyNames: So, getOwnPropertySymbols: Mo, getPrototypeOf: Oo } = Object, Rt = globalThis, gs = Rt.trustedTypes, Eo = gs ? gs.emptyScript : "", Co = Rt.reactiveElementPolyfillSupport, Ye = (n, e) => n, St = { toAttribute(n, e) {
  switch (e) {
    case Boolean:
      n = n ? Eo : null;
      break;
    case Object:
    case Array:
      n = n == null ? n : JSON.stringify(n);
  }
  return n;
}, fromAttribute(n, e) {
  let t = n;
  switch (e) {
    case Boolean:
      t = n !== null;
      break;
    case Number:
      t = n === null ? null : Number(n);
      break;
    case Object:
    case Array:
      try {
        t = JSON.parse(n);
      } catch {
        t = null;
      }
  }
  return t;
} }, Mn = (n, e) => !_o(n, e), ys = { attribute: !0, type: String, converter: St, reflect: !1, useDefault: !1, hasChanged: Mn };
Symbol.metadata ??= Symbol("metadata"), Rt.litPropertyMetadata ??= /* @__PURE__ */ new WeakMap();
let Me = class extends HTMLElement {
  static addInitializer(e) {
    this._$Ei(), (this.l ??= []).push(e);
  }
  static get observedAttributes() {
    return this.finalize(), this._$Eh && [...this._$Eh.keys()];
  }
  static createProperty(e, t = ys) {
    if (t.state && (t.attribute = !1), this._$Ei(), this.prototype.hasOwnProperty(e) && ((t = Object.create(t)).wrapped = !0), this.elementProperties.set(e, t), !t.noAccessor) {
      const s = Symbol(), i = this.getPropertyDescriptor(e, s, t);
      i !== void 0 && ko(this.prototype, e, i);
    }
  }
  static getPropertyDescriptor(e, t, s) {
    const { get: i, set: o } = Ao(this.prototype, e) ?? { get() {
      return this[t];
    }, set(a) {
      this[t] = a;
    } };
    return { get: i, set(a) {
      const r = i?.call(this);
      o?.call(this, a), this.requestUpdate(e, r, s);
    }, configurable: !0, enumerable: !0 };
  }
  static getPropertyOptions(e) {
    return this.elementProperties.get(e) ?? ys;
  }
  static _$Ei() {
    if (this.hasOwnProperty(Ye("elementProperties"))) return;
    const e = Oo(this);
    e.finalize(), e.l !== void 0 && (this.l = [...e.l]), this.elementProperties = new Map(e.elementProperties);
  }
  static finalize() {
    if (this.hasOwnProperty(Ye("finalized"))) return;
    if (this.finalized = !0, this._$Ei(), this.hasOwnProperty(Ye("properties"))) {
      const t = this.properties, s = [...So(t), ...Mo(t)];
      for (const i of s) this.createProperty(i, t[i]);
    }
    const e = this[Symbol.metadata];
    if (e !== null) {
      const t = litPropertyMetadata.get(e);
      if (t !== void 0) for (const [s, i] of t) this.elementProperties.set(s, i);
    }
    this._$Eh = /* @__PURE__ */ new Map();
    for (const [t, s] of this.elementProperties) {
      const i = this._$Eu(t, s);
      i !== void 0 && this._$Eh.set(i, t);
    }
    this.elementStyles = this.finalizeStyles(this.styles);
  }
  static finalizeStyles(e) {
    const t = [];
    if (Array.isArray(e)) {
      const s = new Set(e.flat(1 / 0).reverse());
      for (const i of s) t.unshift(vs(i));
    } else e !== void 0 && t.push(vs(e));
    return t;
  }
  static _$Eu(e, t) {
    const s = t.attribute;
    return s === !1 ? void 0 : typeof s == "string" ? s : typeof e == "string" ? e.toLowerCase() : void 0;
  }
  constructor() {
    super(), this._$Ep = void 0, this.isUpdatePending = !1, this.hasUpdated = !1, this._$Em = null, this._$Ev();
  }
  _$Ev() {
    this._$ES = new Promise((e) => this.enableUpdating = e), this._$AL = /* @__PURE__ */ new Map(), this._$E_(), this.requestUpdate(), this.constructor.l?.forEach((e) => e(this));
  }
  addController(e) {
    (this._$EO ??= /* @__PURE__ */ new Set()).add(e), this.renderRoot !== void 0 && this.isConnected && e.hostConnected?.();
  }
  removeController(e) {
    this._$EO?.delete(e);
  }
  _$E_() {
    const e = /* @__PURE__ */ new Map(), t = this.constructor.elementProperties;
    for (const s of t.keys()) this.hasOwnProperty(s) && (e.set(s, this[s]), delete this[s]);
    e.size > 0 && (this._$Ep = e);
  }
  createRenderRoot() {
    const e = this.shadowRoot ?? this.attachShadow(this.constructor.shadowRootOptions);
    return xo(e, this.constructor.elementStyles), e;
  }
  connectedCallback() {
    this.renderRoot ??= this.createRenderRoot(), this.enableUpdating(!0), this._$EO?.forEach((e) => e.hostConnected?.());
  }
  enableUpdating(e) {
  }
  disconnectedCallback() {
    this._$EO?.forEach((e) => e.hostDisconnected?.());
  }
  attributeChangedCallback(e, t, s) {
    this._$AK(e, s);
  }
  _$ET(e, t) {
    const s = this.constructor.elementProperties.get(e), i = this.constructor._$Eu(e, s);
    if (i !== void 0 && s.reflect === !0) {
      const o = (s.converter?.toAttribute !== void 0 ? s.converter : St).toAttribute(t, s.type);
      this._$Em = e, o == null ? this.removeAttribute(i) : this.setAttribute(i, o), this._$Em = null;
    }
  }
  _$AK(e, t) {
    const s = this.constructor, i = s._$Eh.get(e);
    if (i !== void 0 && this._$Em !== i) {
      const o = s.getPropertyOptions(i), a = typeof o.converter == "function" ? { fromAttribute: o.converter } : o.converter?.fromAttribute !== void 0 ? o.converter : St;
      this._$Em = i;
      const r = a.fromAttribute(t, o.type);
      this[i] = r ?? this._$Ej?.get(i) ?? r, this._$Em = null;
    }
  }
  requestUpdate(e, t, s, i = !1, o) {
    if (e !== void 0) {
      const a = this.constructor;
      if (i === !1 && (o = this[e]), s ??= a.getPropertyOptions(e), !((s.hasChanged ?? Mn)(o, t) || s.useDefault && s.reflect && o === this._$Ej?.get(e) && !this.hasAttribute(a._$Eu(e, s)))) return;
      this.C(e, t, s);
    }
    this.isUpdatePending === !1 && (this._$ES = this._$EP());
  }
  C(e, t, { useDefault: s, reflect: i, wrapped: o }, a) {
    s && !(this._$Ej ??= /* @__PURE__ */ new Map()).has(e) && (this._$Ej.set(e, a ?? t ?? this[e]), o !== !0 || a !== void 0) || (this._$AL.has(e) || (this.hasUpdated || s || (t = void 0), this._$AL.set(e, t)), i === !0 && this._$Em !== e && (this._$Eq ??= /* @__PURE__ */ new Set()).add(e));
  }
  async _$EP() {
    this.isUpdatePending = !0;
    try {
      await this._$ES;
    } catch (t) {
      Promise.reject(t);
    }
    const e = this.scheduleUpdate();
    return e != null && await e, !this.isUpdatePending;
  }
  scheduleUpdate() {
    return this.performUpdate();
  }
  performUpdate() {
    if (!this.isUpdatePending) return;
    if (!this.hasUpdated) {
      if (this.renderRoot ??= this.createRenderRoot(), this._$Ep) {
        for (const [i, o] of this._$Ep) this[i] = o;
        this._$Ep = void 0;
      }
      const s = this.constructor.elementProperties;
      if (s.size > 0) for (const [i, o] of s) {
        const { wrapped: a } = o, r = this[i];
        a !== !0 || this._$AL.has(i) || r === void 0 || this.C(i, void 0, o, r);
      }
    }
    let e = !1;
    const t = this._$AL;
    try {
      e = this.shouldUpdate(t), e ? (this.willUpdate(t), this._$EO?.forEach((s) => s.hostUpdate?.()), this.update(t)) : this._$EM();
    } catch (s) {
      throw e = !1, this._$EM(), s;
    }
    e && this._$AE(t);
  }
  willUpdate(e) {
  }
  _$AE(e) {
    this._$EO?.forEach((t) => t.hostUpdated?.()), this.hasUpdated || (this.hasUpdated = !0, this.firstUpdated(e)), this.updated(e);
  }
  _$EM() {
    this._$AL = /* @__PURE__ */ new Map(), this.isUpdatePending = !1;
  }
  get updateComplete() {
    return this.getUpdateComplete();
  }
  getUpdateComplete() {
    return this._$ES;
  }
  shouldUpdate(e) {
    return !0;
  }
  update(e) {
    this._$Eq &&= this._$Eq.forEach((t) => this._$ET(t, this[t])), this._$EM();
  }
  updated(e) {
  }
  firstUpdated(e) {
  }
};
Me.elementStyles = [], Me.shadowRootOptions = { mode: "open" }, Me[Ye("elementProperties")] = /* @__PURE__ */ new Map(), Me[Ye("finalized")] = /* @__PURE__ */ new Map(), Co?.({ ReactiveElement: Me }), (Rt.reactiveElementVersions ??= []).push("2.1.2");
const On = globalThis, ws = (n) => n, Mt = On.trustedTypes, bs = Mt ? Mt.createPolicy("lit-html", { createHTML: (n) => n }) : void 0, fi = "$lit$", te = `lit$${Math.random().toFixed(9).slice(2)}$`, vi = "?" + te, To = `<${vi}>`, ye = document, Qe = () => ye.createComment(""), Ze = (n) => n === null || typeof n != "object" && typeof n != "function", En = Array.isArray, Io = (n) => En(n) || typeof n?.[Symbol.iterator] == "function", Jt = `[ 	
\f\r]`, Fe = /<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g, $s = /-->/g, xs = />/g, pe = RegExp(`>|${Jt}(?:([^\\s"'>=/]+)(${Jt}*=${Jt}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`, "g"), _s = /'/g, ks = /"/g, gi = /^(?:script|style|textarea|title)$/i, yi = (n) => (e, ...t) => ({ _$litType$: n, strings: e, values: t }), u = yi(1), Ce = yi(2), Q = Symbol.for("lit-noChange"), m = Symbol.for("lit-nothing"), As = /* @__PURE__ */ new WeakMap(), fe = ye.createTreeWalker(ye, 129);
function wi(n, e) {
  if (!En(n) || !n.hasOwnProperty("raw")) throw Error("invalid template strings array");
  return bs !== void 0 ? bs.createHTML(e) : e;
}
const Po = (n, e) => {
  const t = n.length - 1, s = [];
  let i, o = e === 2 ? "<svg>" : e === 3 ? "<math>" : "", a = Fe;
  for (let r = 0; r < t; r++) {
    const l = n[r];
    let c, h, d = -1, p = 0;
    for (; p < l.length && (a.lastIndex = p, h = a.exec(l), h !== null); ) p = a.lastIndex, a === Fe ? h[1] === "!--" ? a = $s : h[1] !== void 0 ? a = xs : h[2] !== void 0 ? (gi.test(h[2]) && (i = RegExp("</" + h[2], "g")), a = pe) : h[3] !== void 0 && (a = pe) : a === pe ? h[0] === ">" ? (a = i ?? Fe, d = -1) : h[1] === void 0 ? d = -2 : (d = a.lastIndex - h[2].length, c = h[1], a = h[3] === void 0 ? pe : h[3] === '"' ? ks : _s) : a === ks || a === _s ? a = pe : a === $s || a === xs ? a = Fe : (a = pe, i = void 0);
    const y = a === pe && n[r + 1].startsWith("/>") ? " " : "";
    o += a === Fe ? l + To : d >= 0 ? (s.push(c), l.slice(0, d) + fi + l.slice(d) + te + y) : l + te + (d === -2 ? r : y);
  }
  return [wi(n, o + (n[t] || "<?>") + (e === 2 ? "</svg>" : e === 3 ? "</math>" : "")), s];
};
class Xe {
  constructor({ strings: e, _$litType$: t }, s) {
    let i;
    this.parts = [];
    let o = 0, a = 0;
    const r = e.length - 1, l = this.parts, [c, h] = Po(e, t);
    if (this.el = Xe.createElement(c, s), fe.currentNode = this.el.content, t === 2 || t === 3) {
      const d = this.el.content.firstChild;
      d.replaceWith(...d.childNodes);
    }
    for (; (i = fe.nextNode()) !== null && l.length < r; ) {
      if (i.nodeType === 1) {
        if (i.hasAttributes()) for (const d of i.getAttributeNames()) if (d.endsWith(fi)) {
          const p = h[a++], y = i.getAttribute(d).split(te), g = /([.?@])?(.*)/.exec(p);
          l.push({ type: 1, index: o, name: g[2], strings: y, ctor: g[1] === "." ? qo : g[1] === "?" ? Ho : g[1] === "@" ? Ro : jt }), i.removeAttribute(d);
        } else d.startsWith(te) && (l.push({ type: 6, index: o }), i.removeAttribute(d));
        if (gi.test(i.tagName)) {
          const d = i.textContent.split(te), p = d.length - 1;
          if (p > 0) {
            i.textContent = Mt ? Mt.emptyScript : "";
            for (let y = 0; y < p; y++) i.append(d[y], Qe()), fe.nextNode(), l.push({ type: 2, index: ++o });
            i.append(d[p], Qe());
          }
        }
      } else if (i.nodeType === 8) if (i.data === vi) l.push({ type: 2, index: o });
      else {
        let d = -1;
        for (; (d = i.data.indexOf(te, d + 1)) !== -1; ) l.push({ type: 7, index: o }), d += te.length - 1;
      }
      o++;
    }
  }
  static createElement(e, t) {
    const s = ye.createElement("template");
    return s.innerHTML = e, s;
  }
}
function Te(n, e, t = n, s) {
  if (e === Q) return e;
  let i = s !== void 0 ? t._$Co?.[s] : t._$Cl;
  const o = Ze(e) ? void 0 : e._$litDirective$;
  return i?.constructor !== o && (i?._$AO?.(!1), o === void 0 ? i = void 0 : (i = new o(n), i._$AT(n, t, s)), s !== void 0 ? (t._$Co ??= [])[s] = i : t._$Cl = i), i !== void 0 && (e = Te(n, i._$AS(n, e.values), i, s)), e;
}
class Lo {
  constructor(e, t) {
    this._$AV = [], this._$AN = void 0, this._$AD = e, this._$AM = t;
  }
  get parentNode() {
    return this._$AM.parentNode;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  u(e) {
    const { el: { content: t }, parts: s } = this._$AD, i = (e?.creationScope ?? ye).importNode(t, !0);
    fe.currentNode = i;
    let o = fe.nextNode(), a = 0, r = 0, l = s[0];
    for (; l !== void 0; ) {
      if (a === l.index) {
        let c;
        l.type === 2 ? c = new He(o, o.nextSibling, this, e) : l.type === 1 ? c = new l.ctor(o, l.name, l.strings, this, e) : l.type === 6 && (c = new jo(o, this, e)), this._$AV.push(c), l = s[++r];
      }
      a !== l?.index && (o = fe.nextNode(), a++);
    }
    return fe.currentNode = ye, i;
  }
  p(e) {
    let t = 0;
    for (const s of this._$AV) s !== void 0 && (s.strings !== void 0 ? (s._$AI(e, s, t), t += s.strings.length - 2) : s._$AI(e[t])), t++;
  }
}
class He {
  get _$AU() {
    return this._$AM?._$AU ?? this._$Cv;
  }
  constructor(e, t, s, i) {
    this.type = 2, this._$AH = m, this._$AN = void 0, this._$AA = e, this._$AB = t, this._$AM = s, this.options = i, this._$Cv = i?.isConnected ?? !0;
  }
  get parentNode() {
    let e = this._$AA.parentNode;
    const t = this._$AM;
    return t !== void 0 && e?.nodeType === 11 && (e = t.parentNode), e;
  }
  get startNode() {
    return this._$AA;
  }
  get endNode() {
    return this._$AB;
  }
  _$AI(e, t = this) {
    e = Te(this, e, t), Ze(e) ? e === m || e == null || e === "" ? (this._$AH !== m && this._$AR(), this._$AH = m) : e !== this._$AH && e !== Q && this._(e) : e._$litType$ !== void 0 ? this.$(e) : e.nodeType !== void 0 ? this.T(e) : Io(e) ? this.k(e) : this._(e);
  }
  O(e) {
    return this._$AA.parentNode.insertBefore(e, this._$AB);
  }
  T(e) {
    this._$AH !== e && (this._$AR(), this._$AH = this.O(e));
  }
  _(e) {
    this._$AH !== m && Ze(this._$AH) ? this._$AA.nextSibling.data = e : this.T(ye.createTextNode(e)), this._$AH = e;
  }
  $(e) {
    const { values: t, _$litType$: s } = e, i = typeof s == "number" ? this._$AC(e) : (s.el === void 0 && (s.el = Xe.createElement(wi(s.h, s.h[0]), this.options)), s);
    if (this._$AH?._$AD === i) this._$AH.p(t);
    else {
      const o = new Lo(i, this), a = o.u(this.options);
      o.p(t), this.T(a), this._$AH = o;
    }
  }
  _$AC(e) {
    let t = As.get(e.strings);
    return t === void 0 && As.set(e.strings, t = new Xe(e)), t;
  }
  k(e) {
    En(this._$AH) || (this._$AH = [], this._$AR());
    const t = this._$AH;
    let s, i = 0;
    for (const o of e) i === t.length ? t.push(s = new He(this.O(Qe()), this.O(Qe()), this, this.options)) : s = t[i], s._$AI(o), i++;
    i < t.length && (this._$AR(s && s._$AB.nextSibling, i), t.length = i);
  }
  _$AR(e = this._$AA.nextSibling, t) {
    for (this._$AP?.(!1, !0, t); e !== this._$AB; ) {
      const s = ws(e).nextSibling;
      ws(e).remove(), e = s;
    }
  }
  setConnected(e) {
    this._$AM === void 0 && (this._$Cv = e, this._$AP?.(e));
  }
}
class jt {
  get tagName() {
    return this.element.tagName;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  constructor(e, t, s, i, o) {
    this.type = 1, this._$AH = m, this._$AN = void 0, this.element = e, this.name = t, this._$AM = i, this.options = o, s.length > 2 || s[0] !== "" || s[1] !== "" ? (this._$AH = Array(s.length - 1).fill(new String()), this.strings = s) : this._$AH = m;
  }
  _$AI(e, t = this, s, i) {
    const o = this.strings;
    let a = !1;
    if (o === void 0) e = Te(this, e, t, 0), a = !Ze(e) || e !== this._$AH && e !== Q, a && (this._$AH = e);
    else {
      const r = e;
      let l, c;
      for (e = o[0], l = 0; l < o.length - 1; l++) c = Te(this, r[s + l], t, l), c === Q && (c = this._$AH[l]), a ||= !Ze(c) || c !== this._$AH[l], c === m ? e = m : e !== m && (e += (c ?? "") + o[l + 1]), this._$AH[l] = c;
    }
    a && !i && this.j(e);
  }
  j(e) {
    e === m ? this.element.removeAttribute(this.name) : this.element.setAttribute(this.name, e ?? "");
  }
}
class qo extends jt {
  constructor() {
    super(...arguments), this.type = 3;
  }
  j(e) {
    this.element[this.name] = e === m ? void 0 : e;
  }
}
class Ho extends jt {
  constructor() {
    super(...arguments), this.type = 4;
  }
  j(e) {
    this.element.toggleAttribute(this.name, !!e && e !== m);
  }
}
class Ro extends jt {
  constructor(e, t, s, i, o) {
    super(e, t, s, i, o), this.type = 5;
  }
  _$AI(e, t = this) {
    if ((e = Te(this, e, t, 0) ?? m) === Q) return;
    const s = this._$AH, i = e === m && s !== m || e.capture !== s.capture || e.once !== s.once || e.passive !== s.passive, o = e !== m && (s === m || i);
    i && this.element.removeEventListener(this.name, this, s), o && this.element.addEventListener(this.name, this, e), this._$AH = e;
  }
  handleEvent(e) {
    typeof this._$AH == "function" ? this._$AH.call(this.options?.host ?? this.element, e) : this._$AH.handleEvent(e);
  }
}
class jo {
  constructor(e, t, s) {
    this.element = e, this.type = 6, this._$AN = void 0, this._$AM = t, this.options = s;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  _$AI(e) {
    Te(this, e);
  }
}
const No = { I: He }, Uo = On.litHtmlPolyfillSupport;
Uo?.(Xe, He), (On.litHtmlVersions ??= []).push("3.3.3");
const zo = (n, e, t) => {
  const s = t?.renderBefore ?? e;
  let i = s._$litPart$;
  if (i === void 0) {
    const o = t?.renderBefore ?? null;
    s._$litPart$ = i = new He(e.insertBefore(Qe(), o), o, void 0, t ?? {});
  }
  return i._$AI(n), i;
};
const Cn = globalThis;
let I = class extends Me {
  constructor() {
    super(...arguments), this.renderOptions = { host: this }, this._$Do = void 0;
  }
  createRenderRoot() {
    const e = super.createRenderRoot();
    return this.renderOptions.renderBefore ??= e.firstChild, e;
  }
  update(e) {
    const t = this.render();
    this.hasUpdated || (this.renderOptions.isConnected = this.isConnected), super.update(e), this._$Do = zo(t, this.renderRoot, this.renderOptions);
  }
  connectedCallback() {
    super.connectedCallback(), this._$Do?.setConnected(!0);
  }
  disconnectedCallback() {
    super.disconnectedCallback(), this._$Do?.setConnected(!1);
  }
  render() {
    return Q;
  }
};
I._$litElement$ = !0, I.finalized = !0, Cn.litElementHydrateSupport?.({ LitElement: I });
const Do = Cn.litElementPolyfillSupport;
Do?.({ LitElement: I });
(Cn.litElementVersions ??= []).push("4.2.2");
const Bo = { attribute: !0, type: String, converter: St, reflect: !1, hasChanged: Mn }, Vo = (n = Bo, e, t) => {
  const { kind: s, metadata: i } = t;
  let o = globalThis.litPropertyMetadata.get(i);
  if (o === void 0 && globalThis.litPropertyMetadata.set(i, o = /* @__PURE__ */ new Map()), s === "setter" && ((n = Object.create(n)).wrapped = !0), o.set(t.name, n), s === "accessor") {
    const { name: a } = t;
    return { set(r) {
      const l = e.get.call(this);
      e.set.call(this, r), this.requestUpdate(a, l, n, !0, r);
    }, init(r) {
      return r !== void 0 && this.C(a, void 0, n, r), r;
    } };
  }
  if (s === "setter") {
    const { name: a } = t;
    return function(r) {
      const l = this[a];
      e.call(this, r), this.requestUpdate(a, l, n, !0, r);
    };
  }
  throw Error("Unsupported decorator location: " + s);
};
function M(n) {
  return (e, t) => typeof t == "object" ? Vo(n, e, t) : ((s, i, o) => {
    const a = i.hasOwnProperty(o);
    return i.constructor.createProperty(o, s), a ? Object.getOwnPropertyDescriptor(i, o) : void 0;
  })(n, e, t);
}
function S(n) {
  return M({ ...n, state: !0, attribute: !1 });
}
const Wo = (n, e, t) => (t.configurable = !0, t.enumerable = !0, Reflect.decorate && typeof e != "object" && Object.defineProperty(n, e, t), t);
function j(n, e) {
  return (t, s, i) => {
    const o = (a) => a.renderRoot?.querySelector(n) ?? null;
    return Wo(t, s, { get() {
      return o(this);
    } });
  };
}
const Fo = {
  "severity.info": "Info",
  "severity.low": "Low",
  "severity.medium": "Medium",
  "severity.high": "High",
  "severity.critical": "Critical",
  "events.name": "Hearthwall events",
  "events.description": "What was noticed in your home: in plain words, with the evidence, and what you can do about it.",
  "events.title": "Events",
  "events.field.title": "Title",
  "events.field.severity": "From this severity on",
  "events.field.device_id": "Only this device",
  "events.field.entry_id": "Only this gateway",
  "events.field.limit": "How many at a time",
  "events.field.filters": "Show filters",
  "events.field.navigation_path": "Where all events are",
  "events.filters": "Filters",
  "events.filter.severity": "Severity",
  "events.filter.all_severities": "Severity: all",
  "events.filter.from": "{severity} and above",
  "events.filter.kind": "Kind",
  "events.filter.all_kinds": "Kind: all",
  "events.filter.who": "Device",
  "events.filter.all_devices": "Device: all",
  "events.clear": "Show all events",
  "events.none": "Nothing was noticed. All is calm.",
  "events.none_found": "No event matches.",
  "events.new": "Show {count} new events",
  "events.new.one": "Show 1 new event",
  "events.older": "Load older events",
  "events.all": "All events",
  "events.times": "{count} times",
  "events.admin": "Only administrators see what was noticed.",
  "events.offline": "No connection to Home Assistant. New events follow when it is back.",
  "events.lost": "The sensor of {gateway} is not connected. New events follow when it is back.",
  "events.failed": "The events can’t be read: {reason}",
  "events.unanswered": "The sensor did not answer, so nothing can be ordered now: {reason}",
  "events.again": "Try again",
  "events.evidence": "Evidence",
  "events.why": "Why this is unusual",
  "events.peer": "Peer",
  "events.program": "Program",
  "events.subject": "About",
  "events.measured": "Measured",
  "events.threshold": "Threshold",
  "events.band": "Expected",
  "events.band.text": "about {usual}, at most {most}",
  "events.window": "Within",
  "events.detector": "Detector",
  "events.technique": "MITRE ATT&CK",
  "events.gateway": "Gateway",
  "events.last": "Last time",
  "events.flows": "Flows",
  "events.protocol": "Protocol",
  "events.processes": "Processes, each started by the one below it",
  "events.files": "Files",
  "events.of_program": "Here it is no device, but a program of the gateway itself.",
  "events.of_program.advice": "If you know what the program does there, accept it. Else find out who started it, and stop it.",
  "events.ended": "The process has ended: nothing of it is left to cut off.",
  "events.accept": "This is fine",
  "events.accept.ask": "Is this fine?",
  "events.accept.text": "You will no longer be told of “{kind}” at {who}.",
  "events.accept.text_subject": "You will no longer be told of “{kind}” at {who} when it is about {subject}. You will still be told of everything else.",
  "events.accept.text_speaks": "You will no longer be told when {who} speaks {subject}. You will still be told of every other protocol.",
  "events.accept.amount": "That holds for up to half as much again; you will still be told of more.",
  "events.accept.learnt": "It becomes part of what is usual for this device.",
  "events.accepted": "“{kind}” was accepted.",
  "events.is_accepted": "Accepted",
  "events.block": "Block",
  "events.block.peer": "Block {peer}",
  "events.block.ask": "Block {peer}?",
  "events.block.text": "No device of your home can reach {peer} any more, nor the other way round.",
  "events.blocked": "{peer} is blocked.",
  "events.quarantine": "Quarantine {name}",
  "events.release": "Release {name}",
  "events.stop": "Cut {name} off",
  "events.stop.ask": "Cut {name} off from the network?",
  "events.stop.text": "On the gateway, {path} loses its open connections and gets no new ones, in each of its processes. It goes on running, and other programs are not touched.",
  "events.stop.text_process": "On the gateway, process {pid} and all that it starts lose their open connections and get no new ones. They go on running, and other programs are not touched.",
  "events.stop.confirm": "Cut off",
  "events.stopped": "{name} is cut off from the network.",
  "measure.devices": "{value} new devices",
  "measure.packets": "{value} packets",
  "measure.addresses": "{value} addresses of the list",
  "measure.names": "{value} names of the list",
  "measure.moved": "{value} moved",
  "measure.surprise": "{value} points of surprise",
  "measure.flows": "{value} flows",
  "measure.ports": "{value} ports tried",
  "measure.hosts": "{value} hosts tried",
  "measure.connections": "{value} connections begun",
  "measure.sources": "{value} sources at once",
  "measure.packet_rate": "{value} packets a second",
  "measure.sent": "{value} sent",
  "measure.received": "{value} received",
  "measure.differences": "{value} times the usual difference",
  "measure.evenness": "evenness {value} of 1",
  "measure.packet_size": "{value} in each packet",
  "measure.names_asked": "{value} different names asked for",
  "measure.addresses_claimed": "{value} addresses of others claimed",
  "measure.claims": "{value} claims"
}, Go = {
  "gateway.name": "Hearthwall gateway",
  "gateway.description": "How the gateway is: connection, versions, what it guards and how, and what its feeds hit.",
  "gateway.connected": "Connected",
  "gateway.silent": "The sensor does not answer",
  "gateway.admin": "Only administrators see how the gateway is.",
  "gateway.sensor": "Sensor",
  "gateway.integration": "Integration",
  "gateway.uptime": "Running for",
  "gateway.memory": "Memory",
  "gateway.lost": "Packets missed",
  "gateway.interfaces": "Guarded interfaces",
  "gateway.role.lan": "home",
  "gateway.role.wan": "internet",
  "gateway.xdp.off": "XDP: not needed now",
  "gateway.xdp.native": "XDP: in the driver",
  "gateway.xdp.generic": "XDP: generic",
  "gateway.xdp.foreign": "XDP: taken by another program",
  "gateway.xdp.unavailable": "XDP: not available, tc drops",
  "gateway.feeds": "Feeds",
  "gateway.feeds_none": "No feed is set up.",
  "gateway.feed.drop": "drops",
  "gateway.feed.audit": "only counts",
  "gateway.feed.entries": "{count} entries",
  "gateway.feed.updated": "updated {time}",
  "gateway.feed.hits": "{packets} hits",
  "gateway.feed.no_hits": "no hits"
}, Yo = {
  "kind.new_device": "New device",
  "kind.new_device.meaning": "A device joined your network that was never seen there before.",
  "kind.new_device.advice": "If you know it, give it a name. If nobody in your home does, quarantine it.",
  "kind.threat_address": "Listed address",
  "kind.threat_address.meaning": "A device exchanged data with an address that a threat list warns of.",
  "kind.threat_address.advice": "Block the address, then look at what else this device does.",
  "kind.threat_domain": "Listed domain",
  "kind.threat_domain.meaning": "A device asked for, or talked to, a name that a threat list warns of.",
  "kind.threat_domain.advice": "Block the name, then look at what else this device does.",
  "kind.forbidden_protocol": "Forbidden protocol",
  "kind.forbidden_protocol.meaning": "A device speaks a protocol that your policy does not allow, such as that of crypto miners, Tor or Telnet.",
  "kind.forbidden_protocol.advice": "If nobody uses this on purpose, quarantine the device. If somebody does, accept it or allow it in the policy.",
  "kind.unexpected_destination": "Unexpected destination",
  "kind.unexpected_destination.meaning": "A device talks to a place that is unlike all it talked to so far.",
  "kind.unexpected_destination.advice": "If there is a reason, such as an update or a new app, accept it. Else block the peer.",
  "kind.local_device_on_internet": "Local device on the internet",
  "kind.local_device_on_internet.meaning": "A device that otherwise stays within your home talks to the internet.",
  "kind.local_device_on_internet.advice": "If it needs no internet, take the internet from it. If it may go there, accept this.",
  "kind.segment_crossing": "Segment crossed",
  "kind.segment_crossing.meaning": "A device reaches into a part of your network that is closed to it, or sends from false addresses.",
  "kind.segment_crossing.advice": "Quarantine the device, unless it should reach that part: then open the way in the policy.",
  "kind.port_scan": "Port scan",
  "kind.port_scan.meaning": "A device tries many doors (ports) of one host, most of them in vain. Intruders look around like that.",
  "kind.port_scan.advice": "Quarantine the device, unless somebody in your home scans on purpose.",
  "kind.address_scan": "Address scan",
  "kind.address_scan.meaning": "A device looks for the same service on many hosts, most of them in vain. Worms spread like that.",
  "kind.address_scan.advice": "Quarantine the device, unless somebody in your home scans on purpose.",
  "kind.connection_burst": "Burst of connections",
  "kind.connection_burst.meaning": "A device begins far more connections than it ever did.",
  "kind.connection_burst.advice": "Look at whom it talks to. If that makes no sense, limit or quarantine it.",
  "kind.flood": "Flood",
  "kind.flood.meaning": "Packets are sent at a rate that only a flood has: to overload somebody.",
  "kind.flood.advice": "If a device of your home sends them, quarantine it. Floods from the internet need a threshold of the sensor.",
  "kind.volume_anomaly": "Unusual volume",
  "kind.volume_anomaly.meaning": "A device moves far more data than it usually does at this time of the week.",
  "kind.volume_anomaly.advice": "Look at whom it talks to. If it was a backup or an update, accept it.",
  "kind.behaviour_anomaly": "Unusual behaviour",
  "kind.behaviour_anomaly.meaning": "Taken together, what a device does is unlike what was learnt of it.",
  "kind.behaviour_anomaly.advice": "Look at what stands out in the details. If there is a reason, accept it.",
  "kind.beacon": "Beacon",
  "kind.beacon.meaning": "A device calls one peer again and again at an even pace. Malware calls home like that; so do some services.",
  "kind.beacon.advice": "If you know the peer, accept it. Else block it.",
  "kind.dns_tunnel": "DNS tunnel",
  "kind.dns_tunnel.meaning": "A device seems to smuggle data out in questions for names.",
  "kind.dns_tunnel.advice": "Block the domain and quarantine the device.",
  "kind.address_conflict": "Address conflict",
  "kind.address_conflict.meaning": "Two devices claim the same address. It may be a mistake, or one of them wants to read the other's traffic.",
  "kind.address_conflict.advice": "If one of them claims the gateway's address, quarantine it. Else give each an address of its own.",
  "kind.rogue_dhcp": "Rogue DHCP server or router",
  "kind.rogue_dhcp.meaning": "A second device hands out addresses or says that it is the router. It could lead your home's traffic its own way.",
  "kind.rogue_dhcp.advice": "If it is a router of your own, switch off its DHCP server. Else quarantine it.",
  "kind.unexpected_process": "Unexpected program",
  "kind.unexpected_process.meaning": "A program on the gateway does what it, or any program, never did there before.",
  "kind.unexpected_process.advice": "If you installed or changed the program, accept it. Else find out where it comes from.",
  "kind.suspicious_syscall": "Suspicious system call",
  "kind.suspicious_syscall.meaning": "A process on the gateway does what intruders do, such as a shell on a connection or taking hold of another process.",
  "kind.suspicious_syscall.advice": "Look at who started it. If none of you did, cut the program off and stop it.",
  "kind.exec_and_connect": "New program that connects",
  "kind.exec_and_connect.meaning": "A program that was only just put on the gateway was run, and talks to somebody.",
  "kind.exec_and_connect.advice": "Unless you put it there, cut the program off and find out how it came there.",
  "kind.blocked": "Rule put in force",
  "kind.blocked.meaning": "From now on a rule limits what gets through.",
  "kind.blocked.advice": "Nothing has to be done. Releasing the device or ending the rule lets everything through again.",
  "kind.unblocked": "Rule ended",
  "kind.unblocked.meaning": "A rule limits nothing any more: it was ended, or its time was over.",
  "kind.unblocked.advice": "Nothing has to be done.",
  "kind.other": "Other",
  "kind.other.meaning": "Your sensor tells of something that these cards do not know yet.",
  "kind.other.advice": "Update Hearthwall in Home Assistant, and reload this page."
}, Ko = {
  "map.name": "Hearthwall flow map",
  "map.description": "Which device moves how much, with what, to where: as streams that you can single out.",
  "map.title": "Flow map",
  "map.field.title": "Title",
  "map.field.period": "Period",
  "map.field.middle": "Middle column",
  "map.field.end": "Last column",
  "map.field.device_id": "Only this device",
  "map.field.entry_id": "Only this gateway",
  "map.period": "Period",
  "map.period.1h": "1 hour",
  "map.period.24h": "24 hours",
  "map.period.7d": "7 days",
  "map.period.30d": "30 days",
  "map.column.mac": "Devices",
  "map.column.application": "Applications",
  "map.column.domain": "Domains",
  "map.column.country": "Countries",
  "map.column.network": "Networks",
  "map.column.peer": "Peers",
  "map.column.middle": "What the middle column shows",
  "map.column.end": "What the last column shows",
  "map.unknown.mac": "The gateway itself",
  "map.unknown.application": "Unknown application",
  "map.unknown.domain": "No domain",
  "map.unknown.country": "No country known",
  "map.unknown.network": "No network known",
  "map.unknown.peer": "Unknown peer",
  "map.others": "Others",
  "map.others.count": "{count} others",
  "map.node": "{column}: {name}, {amount}, {share}",
  "map.all": "All together",
  "map.upload": "Sent",
  "map.download": "Received",
  "map.hint": "Choose a name to see its streams alone.",
  "map.table": "Show as a table",
  "map.chart": "Show as a map",
  "map.label": "What moved, from devices on the left to where it went on the right",
  "map.empty": "Nothing moved in this time.",
  "map.waiting": "Adding up…",
  "map.admin": "Only administrators may see whom devices talk to.",
  "map.lost": "The figures can't be refreshed: {reason}",
  "map.absent": "Hearthwall is not set up, or Home Assistant is still starting."
}, Qo = {
  "orders.already": "{name} is cut off already.",
  "orders.changed": "Its rules were changed in the meantime, and stay as they are.",
  "orders.endless": "until released",
  "orders.until": "until {time}",
  "orders.replaces": "It takes the place of a rule that is in force: {rule}. Undo brings that back; a release later does not.",
  "orders.replaces_response": "It takes the place of a rule that the sensor ordered by itself: {rule}. Undo orders the same again, but a rule that this one had taken the place of does not come back."
}, Zo = {
  "rules.name": "Hearthwall rules",
  "rules.description": "What is held back right now, of devices, peers and programs: since when, why, for how long, and the way to end it.",
  "rules.title": "Rules in force",
  "rules.none": "No rule is in force: everything passes.",
  "rules.blocked": "Blocked",
  "rules.end": "End",
  "rules.end_named": "End the rule on {name}",
  "rules.end_confirm": "End rule",
  "rules.show_rest": "Show all {count} rules",
  "rules.process": "Process {pid}",
  "rules.unconfirmed": "ends in {span} unless it is confirmed",
  "rules.audited": "{packets} packets seen ({bytes})",
  "rules.last_hit": "last {ago}",
  "rules.unenforced": "The kernel does not enforce it now.",
  "rules.reason.quarantine": "Quarantined from Home Assistant"
}, Xo = {
  "strategy.title": "Hearthwall",
  "strategy.description": "Your home’s network: every device, what it moves, what was noticed, and how the gateway is.",
  "strategy.view.overview": "Overview",
  "strategy.view.map": "Map",
  "strategy.view.events": "Events",
  "strategy.view.devices": "Devices",
  "strategy.view.health": "Gateway",
  "strategy.newest": "Newest events",
  "strategy.entities": "Entities",
  "strategy.rates": "The last 24 hours",
  "strategy.no_area": "Without an area",
  "strategy.gone": "This device is not in Home Assistant any more.",
  "strategy.welcome": "Hearthwall is not set up yet",
  "strategy.welcome.text": "Hearthwall watches over the traffic of your home on its gateway. Add the integration, choose the gateway’s interfaces, and this dashboard builds itself.",
  "strategy.welcome.link": "Add Hearthwall"
}, Tn = {
  "common.undo": "Undo",
  "common.undone": "Undone.",
  "common.close": "Close",
  "common.back": "Back",
  "common.loading": "Waiting for the sensor…",
  "common.absent": "Hearthwall is not set up here yet. Add it under Settings → Devices & services.",
  "common.offline": "No connection to Home Assistant: figures of {time}.",
  "common.lost": "Not connected to the sensor: figures of {time}.",
  "common.lost_named": "Not connected to the sensor of {gateway}: figures of {time}.",
  "common.not_connected": "The sensor is not connected.",
  "common.repairs": "What to do",
  "common.stale": "The sensor does not answer: figures of {time}.",
  "common.stale_named": "The sensor of {gateway} does not answer: figures of {time}.",
  "common.unknown": "Unknown",
  "common.admin": "Only administrators see who this device talks to and what happened.",
  "common.download": "Download",
  "common.upload": "Upload",
  "common.gateway": "Gateway",
  "common.gateway.help": "Only for homes with several gateways.",
  "common.title": "Title",
  "common.left": "{span} left",
  "status.online": "Online",
  "status.away": "Away",
  "mode.isolate": "Quarantined",
  "mode.no_internet": "No internet",
  "mode.allow_only": "Only what is allowed",
  "mode.rate_limit": "Limited",
  "mode.audit": "Audited",
  "mode.redirect": "Redirected",
  "mode.other": "Restricted",
  "devices.name": "Hearthwall devices",
  "devices.description": "All devices of your home, live: what they move, whom they talk to, and a switch to quarantine each.",
  "devices.title": "Devices",
  "devices.summary": "{online} of {all} online",
  "devices.summary_restricted": "{count} restricted",
  "devices.search": "Search devices",
  "devices.sort": "Sort by",
  "devices.sort.today": "Today’s traffic",
  "devices.sort.now": "Traffic now",
  "devices.sort.name": "Name",
  "devices.sort.status": "Status",
  "devices.sort.last_seen": "Last seen",
  "devices.show": "Show",
  "devices.show.all": "All",
  "devices.show.online": "Online",
  "devices.show.restricted": "Restricted",
  "devices.area": "Area",
  "devices.areas_all": "All areas",
  "devices.label": "Label",
  "devices.labels_all": "All labels",
  "devices.toolbar": "Show search and filters",
  "devices.none": "No devices yet. They appear as soon as they send something through the gateway.",
  "devices.none_found": "No device matches.",
  "devices.clear": "Show all devices",
  "devices.show_rest": "Show all {count} devices",
  "devices.today": "Today",
  "devices.row": "{name}, {status}, download {download}, upload {upload}, today {today}",
  "devices.alert.one": "{kind}",
  "devices.alert": "{kind} and {more} more",
  "devices.alert_open": "{severity}: {summary} Open the events of {name}.",
  "devices.search_label": "Search",
  "devices.today_small": "{total} today",
  "devices.top_peer": "mostly {peer}",
  "devices.seen": "seen {ago}",
  "devices.random": "random MAC",
  "quarantine.switch": "Quarantine {name}",
  "quarantine.label": "Quarantine",
  "quarantine.on": "{name} is quarantined.",
  "quarantine.off": "{name} is released.",
  "quarantine.ask": "Quarantine {name}?",
  "quarantine.text": "The gateway drops all its traffic, to the internet and to the home. Other devices are not touched.",
  "quarantine.confirm": "Quarantine",
  "quarantine.release_ask": "Release {name}?",
  "quarantine.release_text": "It reaches the home and the internet again at once.",
  "quarantine.release": "Release",
  "quarantine.for": "For {span}",
  "quarantine.forever": "Until released",
  "quarantine.impossible": "The sensor is not connected, so nothing can be changed now.",
  "orders.read_only": "Home Assistant may only read from this gateway, so nothing can be changed here.",
  ...Fo,
  ...Go,
  ...Yo,
  ...Ko,
  ...Qo,
  ...Zo,
  ...Xo,
  "common.cancel": "Cancel",
  "common.busy": "Working…",
  "device.device": "Device",
  "device.name": "Hearthwall device",
  "device.description": "One device: its traffic over the day, whom it talks to, what happened, what is blocked.",
  "device.choose": "Choose a device in the card’s settings.",
  "device.unknown": "The sensor does not know this device.",
  "device.moved": "{today} since midnight · {all} in all",
  "device.first_seen": "known since {since}",
  "device.history": "Last 24 hours",
  "device.history_sum": "↓ {download} · ↑ {upload}",
  "device.history_began": "↓ {download} · ↑ {upload} since {time}, when Home Assistant’s statistics of it began",
  "device.history_at": "{time}: ↓ {download} · ↑ {upload}",
  "device.history_none": "No statistics yet. They come from the device’s total sensors and start within minutes.",
  "device.peers": "Talks to",
  "device.peers_none": "It talked to nobody in the last 24 hours.",
  "device.peers_everybody": "Everybody in the network (multicast)",
  "device.peers_rest": "All others",
  "device.events": "Events",
  "device.events_none": "Nothing happened.",
  "device.accepted": "Accepted as fine",
  "device.revoke": "Take back",
  "device.revoke_ask": "Take this back?",
  "device.revoke_text": "“{summary}” You will be told of the like again.",
  "device.revoke_done": "You will be told of the like again.",
  "device.blocks": "Rules in force",
  "device.blocks_none": "No rule is in force.",
  "device.blocked_since": "since {since}",
  "device.blocked_packets": "{packets} packets dropped ({bytes})",
  "device.blocked_nothing": "Nothing dropped so far",
  "device.unblock_ask": "End this rule?",
  "device.unblock_text": "What it forbids passes again at once.",
  "device.unblock_done": "The rule has ended.",
  "device.profile": "What is usual",
  "profile.learning": "Still being learnt, until {until}.",
  "profile.learnt": "Learnt since {since}; the picture is {sure} complete.",
  "profile.frozen": "Learnt since {since}, and frozen: nothing new becomes usual.",
  "profile.domains": "Talks to {names}.",
  "profile.countries": "Its peers are in {names}.",
  "profile.networks": "Their networks: {names}.",
  "profile.speaks": "Speaks {names}.",
  "profile.day": "On a usual day it downloads {download} and uploads {upload}.",
  "badge.name": "Hearthwall badge",
  "badge.description": "How many devices are online, how many rules are in force, and how many severe events nobody has accepted.",
  "badge.online": "{online}/{all} online",
  "badge.blocks": "rules: {count}",
  "badge.alerts": "alerts: {count}",
  "badge.silent": "no answer",
  "badge.offline": "Offline",
  "badge.lost": "Not connected",
  "badge.navigation_path": "Where a click leads",
  "feature.name": "Hearthwall quarantine",
  "device.minute": "Last minute",
  "device.unblock": "Unblock",
  "device.release_peer": "Unblock {peer}"
}, Jo = {
  "severity.info": "情報",
  "severity.low": "低",
  "severity.medium": "中",
  "severity.high": "高",
  "severity.critical": "緊急",
  "events.name": "Hearthwall イベント",
  "events.description": "ご家庭で検知したことを、わかりやすい説明と根拠、とれる対応とともに表示します。",
  "events.title": "イベント",
  "events.field.title": "タイトル",
  "events.field.severity": "表示する重大度の下限",
  "events.field.device_id": "このデバイスのみ",
  "events.field.entry_id": "このゲートウェイのみ",
  "events.field.limit": "一度に表示する件数",
  "events.field.filters": "絞り込みを表示",
  "events.field.navigation_path": "すべてのイベントの表示先",
  "events.filters": "絞り込み",
  "events.filter.severity": "重大度",
  "events.filter.all_severities": "重大度: すべて",
  "events.filter.from": "{severity}以上",
  "events.filter.kind": "種類",
  "events.filter.all_kinds": "種類: すべて",
  "events.filter.who": "デバイス",
  "events.filter.all_devices": "デバイス: すべて",
  "events.clear": "すべてのイベントを表示",
  "events.none": "検知されたことはありません。異常なしです。",
  "events.none_found": "該当するイベントはありません。",
  "events.new": "新しいイベント {count} 件を表示",
  "events.new.one": "新しいイベント 1 件を表示",
  "events.older": "以前のイベントを読み込む",
  "events.all": "すべてのイベント",
  "events.times": "{count} 回",
  "events.admin": "検知された内容を表示できるのは管理者のみです。",
  "events.offline": "Home Assistant に接続していません。接続が戻りしだい、新しいイベントを表示します。",
  "events.lost": "{gateway} のセンサーに接続していません。接続が戻りしだい、新しいイベントを表示します。",
  "events.failed": "イベントを読み込めません: {reason}",
  "events.unanswered": "センサーが応答しないため、いまは操作できません: {reason}",
  "events.again": "再試行",
  "events.evidence": "根拠",
  "events.why": "異常とみなした理由",
  "events.peer": "通信相手",
  "events.program": "プログラム",
  "events.subject": "対象",
  "events.measured": "測定値",
  "events.threshold": "しきい値",
  "events.band": "想定される範囲",
  "events.band.text": "通常は約 {usual}、最大 {most}",
  "events.window": "測定した時間",
  "events.detector": "検知器",
  "events.technique": "MITRE ATT&CK",
  "events.gateway": "ゲートウェイ",
  "events.last": "最後に起きた時刻",
  "events.flows": "フロー",
  "events.protocol": "プロトコル",
  "events.processes": "プロセス（それぞれ、すぐ下のプロセスが起動）",
  "events.files": "ファイル",
  "events.of_program": "今回はデバイスではなく、ゲートウェイ自身のプログラムによるものです。",
  "events.of_program.advice": "プログラムの動作に心当たりがあれば問題なしとしてください。なければ、誰が起動したか調べて停止してください。",
  "events.ended": "プロセスはすでに終了しているため、ブロックするものはありません。",
  "events.accept": "問題なしとする",
  "events.accept.ask": "問題なしとしますか？",
  "events.accept.text": "今後、{who} の「{kind}」はお知らせしません。",
  "events.accept.text_subject": "今後、{who} の「{kind}」のうち、次に関するものはお知らせしません: {subject}。それ以外は引き続きお知らせします。",
  "events.accept.text_speaks": "今後、{who} が {subject} を使ってもお知らせしません。ほかのプロトコルは引き続きお知らせします。",
  "events.accept.amount": "今回の 1.5 倍までが対象です。それを超えた場合はお知らせします。",
  "events.accept.learnt": "このデバイスの普段の動きとして学習されます。",
  "events.accepted": "「{kind}」を問題なしとしました。",
  "events.is_accepted": "問題なし（登録済み）",
  "events.block": "ブロックする",
  "events.block.peer": "{peer} をブロックする",
  "events.block.ask": "{peer} をブロックしますか？",
  "events.block.text": "ご家庭のどのデバイスも {peer} と通信できなくなります。相手からの通信も届きません。",
  "events.blocked": "{peer} をブロックしました。",
  "events.quarantine": "{name} を隔離",
  "events.release": "{name} の隔離を解除",
  "events.stop": "{name} をブロック",
  "events.stop.ask": "{name} をネットワークから切り離しますか？",
  "events.stop.text": "ゲートウェイの {path} は、すべてのプロセスで、開いている接続が止まり、新しい接続もできなくなります。プログラム自体は動き続け、ほかのプログラムには影響しません。",
  "events.stop.text_process": "ゲートウェイのプロセス {pid} と、それが起動するものは、開いている接続が止まり、新しい接続もできなくなります。プロセス自体は動き続け、ほかのプログラムには影響しません。",
  "events.stop.confirm": "ブロックする",
  "events.stopped": "{name} をブロックしました。",
  "measure.devices": "新しいデバイス {value} 台",
  "measure.packets": "{value} パケット",
  "measure.addresses": "リストのアドレス {value} 件",
  "measure.names": "リストの名前 {value} 件",
  "measure.moved": "通信量 {value}",
  "measure.surprise": "意外さ {value} 点",
  "measure.flows": "{value} フロー",
  "measure.ports": "試したポート {value} 個",
  "measure.hosts": "試した相手 {value} 台",
  "measure.connections": "開始した接続 {value} 件",
  "measure.sources": "同時に {value} の送信元",
  "measure.packet_rate": "毎秒 {value} パケット",
  "measure.sent": "送信 {value}",
  "measure.received": "受信 {value}",
  "measure.differences": "普段の差の {value} 倍",
  "measure.evenness": "間隔の均一さ {value}（最大 1）",
  "measure.packet_size": "1 パケットあたり {value}",
  "measure.names_asked": "問い合わせた名前 {value} 種類",
  "measure.addresses_claimed": "名乗ったほかのデバイスのアドレス {value} 件",
  "measure.claims": "名乗った回数 {value} 回"
}, ea = {
  "gateway.name": "Hearthwall ゲートウェイ",
  "gateway.description": "ゲートウェイの状態です。接続、バージョン、監視中のインターフェース、フィードの検出数を表示します。",
  "gateway.connected": "接続済み",
  "gateway.silent": "センサーが応答していません",
  "gateway.admin": "ゲートウェイの状態は管理者だけに表示されます。",
  "gateway.sensor": "センサー",
  "gateway.integration": "統合",
  "gateway.uptime": "稼働時間",
  "gateway.memory": "メモリ",
  "gateway.lost": "取りこぼしたパケット",
  "gateway.interfaces": "監視中のインターフェース",
  "gateway.role.lan": "家庭内",
  "gateway.role.wan": "インターネット",
  "gateway.xdp.off": "XDP: 現在は不要",
  "gateway.xdp.native": "XDP: ドライバー",
  "gateway.xdp.generic": "XDP: 汎用",
  "gateway.xdp.foreign": "XDP: ほかのプログラムが使用中",
  "gateway.xdp.unavailable": "XDP: 利用不可 (tc で破棄)",
  "gateway.feeds": "フィード",
  "gateway.feeds_none": "フィードは設定されていません。",
  "gateway.feed.drop": "破棄",
  "gateway.feed.audit": "検出のみ",
  "gateway.feed.entries": "{count} 件",
  "gateway.feed.updated": "更新: {time}",
  "gateway.feed.hits": "検出 {packets} 件",
  "gateway.feed.no_hits": "検出なし"
}, ta = {
  "kind.new_device": "新しいデバイス",
  "kind.new_device.meaning": "これまで見たことのないデバイスがネットワークに参加しました。",
  "kind.new_device.advice": "ご存じのデバイスなら名前を付けてください。心当たりがなければ隔離してください。",
  "kind.threat_address": "リストにあるアドレス",
  "kind.threat_address.meaning": "脅威リストにあるアドレスと、デバイスがデータをやり取りしました。",
  "kind.threat_address.advice": "そのアドレスをブロックし、このデバイスのほかの通信も確認してください。",
  "kind.threat_domain": "リストにあるドメイン",
  "kind.threat_domain.meaning": "脅威リストにあるドメインを、デバイスが問い合わせたか、その相手と通信しました。",
  "kind.threat_domain.advice": "その名前をブロックし、このデバイスのほかの通信も確認してください。",
  "kind.forbidden_protocol": "禁止されたプロトコル",
  "kind.forbidden_protocol.meaning": "ポリシーで許可されていないプロトコル（暗号資産の採掘、Tor、Telnet など）を、デバイスが使っています。",
  "kind.forbidden_protocol.advice": "意図して使っていないなら、デバイスを隔離してください。意図したものなら、問題なしとするかポリシーで許可してください。",
  "kind.unexpected_destination": "予期しない宛先",
  "kind.unexpected_destination.meaning": "デバイスが、これまでの通信相手とは異なる相手と通信しています。",
  "kind.unexpected_destination.advice": "アップデートや新しいアプリなどの理由があれば問題なしとしてください。なければ相手をブロックしてください。",
  "kind.local_device_on_internet": "家庭内専用デバイスのインターネット通信",
  "kind.local_device_on_internet.meaning": "普段は家庭内でしか通信しないデバイスが、インターネットと通信しています。",
  "kind.local_device_on_internet.advice": "インターネットが不要なデバイスなら、インターネットとの通信を遮断してください。問題なければ問題なしとしてください。",
  "kind.segment_crossing": "セグメントをまたぐ通信",
  "kind.segment_crossing.meaning": "デバイスが、許可されていないネットワークの区画に接続しようとしたか、偽のアドレスから送信しています。",
  "kind.segment_crossing.advice": "デバイスを隔離してください。接続してよい区画なら、ポリシーで許可してください。",
  "kind.port_scan": "ポートスキャン",
  "kind.port_scan.meaning": "デバイスが、1 台の相手の多数のポートに次々と接続を試み、そのほとんどに失敗しています。侵入者の下調べによく見られる動きです。",
  "kind.port_scan.advice": "ご家庭で意図してスキャンしているのでなければ、デバイスを隔離してください。",
  "kind.address_scan": "アドレススキャン",
  "kind.address_scan.meaning": "デバイスが、多数の相手に同じサービスがないか探し、そのほとんどに失敗しています。ワームが広がるときによく見られる動きです。",
  "kind.address_scan.advice": "ご家庭で意図してスキャンしているのでなければ、デバイスを隔離してください。",
  "kind.connection_burst": "接続の急増",
  "kind.connection_burst.meaning": "デバイスが、これまでになく多くの接続を始めています。",
  "kind.connection_burst.advice": "通信相手を確認してください。理由が見当たらなければ、制限するか隔離してください。",
  "kind.flood": "フラッド",
  "kind.flood.meaning": "相手に過大な負荷をかけるほどの速さで、パケットが送られています。",
  "kind.flood.advice": "ご家庭のデバイスが送っているなら隔離してください。インターネットからのフラッドを防ぐには、センサーのしきい値の設定が必要です。",
  "kind.volume_anomaly": "通常と異なる通信量",
  "kind.volume_anomaly.meaning": "この曜日と時間帯の普段の量を大きく超えるデータを、デバイスがやり取りしています。",
  "kind.volume_anomaly.advice": "通信相手を確認してください。バックアップやアップデートなら問題なしとしてください。",
  "kind.behaviour_anomaly": "通常と異なる挙動",
  "kind.behaviour_anomaly.meaning": "デバイスの動きが、全体として、学習した普段の動きと異なっています。",
  "kind.behaviour_anomaly.advice": "どの点が目立つかを詳細で確認してください。理由があれば問題なしとしてください。",
  "kind.beacon": "ビーコン",
  "kind.beacon.meaning": "デバイスが、同じ相手を一定の間隔で何度も呼び出しています。マルウェアの定期連絡によく見られますが、通常のサービスのこともあります。",
  "kind.beacon.advice": "ご存じの相手なら問題なしとしてください。そうでなければブロックしてください。",
  "kind.dns_tunnel": "DNS トンネル",
  "kind.dns_tunnel.meaning": "デバイスが、名前の問い合わせに紛れ込ませてデータを送り出しているようです。",
  "kind.dns_tunnel.advice": "そのドメインをブロックし、デバイスを隔離してください。",
  "kind.address_conflict": "アドレスの競合",
  "kind.address_conflict.meaning": "2 台のデバイスが同じアドレスを名乗っています。設定の間違いのこともあれば、相手の通信を盗み見ようとしていることもあります。",
  "kind.address_conflict.advice": "ゲートウェイのアドレスを名乗るデバイスがあれば隔離してください。そうでなければ、それぞれに別のアドレスを割り当ててください。",
  "kind.rogue_dhcp": "不正な DHCP サーバーまたはルーター",
  "kind.rogue_dhcp.meaning": "別のデバイスがアドレスを配っているか、ルーターを名乗っています。ご家庭の通信を横取りされるおそれがあります。",
  "kind.rogue_dhcp.advice": "ご自身のルーターなら、その DHCP サーバーを止めてください。そうでなければ隔離してください。",
  "kind.unexpected_process": "予期しないプログラム",
  "kind.unexpected_process.meaning": "ゲートウェイのプログラムが、これまでになかった動作をしています。",
  "kind.unexpected_process.advice": "ご自身で導入や変更をしたプログラムなら問題なしとしてください。そうでなければ、どこから来たものか調べてください。",
  "kind.suspicious_syscall": "不審なシステムコール",
  "kind.suspicious_syscall.meaning": "ゲートウェイのプロセスが、通信につながれたシェルやほかのプロセスの乗っ取りなど、侵入者に見られる動作をしています。",
  "kind.suspicious_syscall.advice": "誰が起動したか確認してください。心当たりがなければ、プログラムをブロックし、停止してください。",
  "kind.exec_and_connect": "新しいプログラムによる接続",
  "kind.exec_and_connect.meaning": "ゲートウェイに置かれたばかりのプログラムが実行され、通信しています。",
  "kind.exec_and_connect.advice": "ご自身で置いたものでなければ、プログラムをブロックし、どのように置かれたか調べてください。",
  "kind.blocked": "ルールの適用",
  "kind.blocked.meaning": "これ以降、ルールによって通信が制限されます。",
  "kind.blocked.advice": "対応は不要です。デバイスの隔離を解除するかルールを終了すると、元どおり通信できます。",
  "kind.unblocked": "ルールの終了",
  "kind.unblocked.meaning": "ルールが解除されたか期限が切れ、通信の制限がなくなりました。",
  "kind.unblocked.advice": "対応は不要です。",
  "kind.other": "その他",
  "kind.other.meaning": "このカードがまだ知らない種類のイベントを、センサーが知らせています。",
  "kind.other.advice": "Home Assistant の Hearthwall を更新し、このページを再読み込みしてください。"
}, na = {
  "map.name": "Hearthwall フローマップ",
  "map.description": "どのデバイスが、何で、どこへ、どれだけ通信したかを流れで示します。一部だけを取り出して見られます。",
  "map.title": "フローマップ",
  "map.field.title": "タイトル",
  "map.field.period": "期間",
  "map.field.middle": "中央の列",
  "map.field.end": "最後の列",
  "map.field.device_id": "このデバイスのみ",
  "map.field.entry_id": "このゲートウェイのみ",
  "map.period": "期間",
  "map.period.1h": "1 時間",
  "map.period.24h": "24 時間",
  "map.period.7d": "7 日",
  "map.period.30d": "30 日",
  "map.column.mac": "デバイス",
  "map.column.application": "アプリケーション",
  "map.column.domain": "ドメイン",
  "map.column.country": "国",
  "map.column.network": "ネットワーク",
  "map.column.peer": "通信相手",
  "map.column.middle": "中央の列に表示する内容",
  "map.column.end": "最後の列に表示する内容",
  "map.unknown.mac": "ゲートウェイ自身",
  "map.unknown.application": "不明なアプリケーション",
  "map.unknown.domain": "ドメインなし",
  "map.unknown.country": "国は不明",
  "map.unknown.network": "ネットワークは不明",
  "map.unknown.peer": "不明な相手",
  "map.others": "その他",
  "map.others.count": "その他 {count} 件",
  "map.node": "{column}: {name}、{amount}、{share}",
  "map.all": "合計",
  "map.upload": "送信",
  "map.download": "受信",
  "map.hint": "名前を選ぶと、その流れだけを表示します。",
  "map.table": "表で表示",
  "map.chart": "図で表示",
  "map.label": "通信の流れ。左のデバイスから右の宛先へ",
  "map.empty": "この期間の通信はありません。",
  "map.waiting": "集計しています…",
  "map.admin": "デバイスの通信相手を表示できるのは管理者のみです。",
  "map.lost": "最新の値を取得できません: {reason}",
  "map.absent": "Hearthwall が設定されていないか、Home Assistant が起動中です。"
}, sa = {
  "orders.already": "{name} はすでに遮断されています。",
  "orders.changed": "その間にルールが変更されたため、変更せずそのままにしました。",
  "orders.endless": "解除するまで",
  "orders.until": "{time} まで",
  "orders.replaces": "現在有効なルール「{rule}」と置き換わります。「元に戻す」を選ぶと元のルールに戻りますが、後から解除しても戻りません。",
  "orders.replaces_response": "センサーが自動で設定したルール「{rule}」と置き換わります。「元に戻す」を選ぶと同じルールを設定し直しますが、そのルールが置き換えたルールは戻りません。"
}, ia = {
  "rules.name": "Hearthwall ルール",
  "rules.description": "現在制限しているデバイス、通信相手、プログラムを表示します。開始時刻、理由、残り時間を確認し、その場で終了できます。",
  "rules.title": "有効なルール",
  "rules.none": "有効なルールはありません。すべての通信が通ります。",
  "rules.blocked": "ブロック中",
  "rules.end": "終了",
  "rules.end_named": "{name} のルールを終了",
  "rules.end_confirm": "終了する",
  "rules.show_rest": "{count} 件すべてを表示",
  "rules.process": "プロセス {pid}",
  "rules.unconfirmed": "確認しないと、残り {span} で終了します",
  "rules.audited": "{packets} パケット ({bytes}) を検出",
  "rules.last_hit": "最後: {ago}",
  "rules.unenforced": "現在カーネルで適用されていません。",
  "rules.reason.quarantine": "Home Assistant から隔離しました"
}, oa = {
  "strategy.title": "Hearthwall",
  "strategy.description": "ご家庭のネットワークの全デバイス、通信量、イベント、ゲートウェイの状態をまとめて表示します。",
  "strategy.view.overview": "概要",
  "strategy.view.map": "マップ",
  "strategy.view.events": "イベント",
  "strategy.view.devices": "デバイス",
  "strategy.view.health": "ゲートウェイ",
  "strategy.newest": "最新のイベント",
  "strategy.entities": "エンティティ",
  "strategy.rates": "過去 24 時間",
  "strategy.no_area": "エリアなし",
  "strategy.gone": "このデバイスは Home Assistant から削除されています。",
  "strategy.welcome": "Hearthwall はまだ設定されていません",
  "strategy.welcome.text": "Hearthwall は、ゲートウェイでご家庭の通信を見守ります。統合を追加してゲートウェイのインターフェースを選ぶと、このダッシュボードが自動で作られます。",
  "strategy.welcome.link": "Hearthwall を追加"
}, aa = {
  "common.undo": "元に戻す",
  "common.undone": "元に戻しました。",
  "common.close": "閉じる",
  "common.back": "戻る",
  "common.loading": "センサーの応答を待っています…",
  "common.absent": "Hearthwall はまだ設定されていません。「設定」→「デバイスとサービス」から追加してください。",
  "common.offline": "Home Assistant に接続できません。{time} 時点の値を表示しています。",
  "common.lost": "センサーに接続できません。{time} 時点の値を表示しています。",
  "common.lost_named": "{gateway} のセンサーに接続できません。{time} 時点の値を表示しています。",
  "common.not_connected": "センサーに接続されていません。",
  "common.repairs": "対処方法を見る",
  "common.stale": "センサーが応答していません。{time} 時点の値を表示しています。",
  "common.stale_named": "{gateway} のセンサーが応答していません。{time} 時点の値を表示しています。",
  "common.unknown": "不明",
  "common.admin": "通信相手とイベントは管理者だけに表示されます。",
  "common.download": "ダウンロード",
  "common.upload": "アップロード",
  "common.gateway": "ゲートウェイ",
  "common.gateway.help": "ゲートウェイが複数ある場合に選びます。",
  "common.title": "タイトル",
  "common.left": "残り {span}",
  "status.online": "オンライン",
  "status.away": "不在",
  "mode.isolate": "隔離中",
  "mode.no_internet": "インターネット遮断",
  "mode.allow_only": "許可先のみ",
  "mode.rate_limit": "速度制限中",
  "mode.audit": "監査中",
  "mode.redirect": "転送中",
  "mode.other": "制限中",
  "devices.name": "Hearthwall デバイス一覧",
  "devices.description": "家庭内のすべてのデバイスをリアルタイムに表示します。通信量と通信相手を確認し、その場で隔離できます。",
  "devices.title": "デバイス",
  "devices.summary": "{all} 台中 {online} 台がオンライン",
  "devices.summary_restricted": "{count} 台を制限中",
  "devices.search": "デバイスを検索",
  "devices.sort": "並べ替え",
  "devices.sort.today": "今日の通信量",
  "devices.sort.now": "現在の通信量",
  "devices.sort.name": "名前",
  "devices.sort.status": "状態",
  "devices.sort.last_seen": "最終検出",
  "devices.show": "表示",
  "devices.show.all": "すべて",
  "devices.show.online": "オンライン",
  "devices.show.restricted": "制限中",
  "devices.area": "エリア",
  "devices.areas_all": "すべてのエリア",
  "devices.label": "ラベル",
  "devices.labels_all": "すべてのラベル",
  "devices.toolbar": "検索と絞り込みを表示",
  "devices.none": "デバイスはまだありません。ゲートウェイを通る通信があると表示されます。",
  "devices.none_found": "該当するデバイスはありません。",
  "devices.clear": "すべてのデバイスを表示",
  "devices.show_rest": "{count} 台すべてを表示",
  "devices.today": "今日",
  "devices.row": "{name}、{status}、ダウンロード {download}、アップロード {upload}、今日 {today}",
  "devices.alert.one": "{kind}",
  "devices.alert": "{kind}、ほか {more} 件",
  "devices.alert_open": "{severity}: {summary} {name} のイベントを開きます。",
  "devices.search_label": "検索",
  "devices.today_small": "今日 {total}",
  "devices.top_peer": "主な通信相手: {peer}",
  "devices.seen": "最終検出: {ago}",
  "devices.random": "ランダム MAC",
  "quarantine.switch": "{name} を隔離",
  "quarantine.label": "隔離",
  "quarantine.on": "{name} を隔離しました。",
  "quarantine.off": "{name} の隔離を解除しました。",
  "quarantine.ask": "{name} を隔離しますか？",
  "quarantine.text": "このデバイスの通信を、インターネット向けも家庭内向けもすべて遮断します。ほかのデバイスには影響しません。",
  "quarantine.confirm": "隔離する",
  "quarantine.release_ask": "{name} の隔離を解除しますか？",
  "quarantine.release_text": "すぐに家庭内ネットワークとインターネットに接続できるようになります。",
  "quarantine.release": "解除する",
  "quarantine.for": "{span}",
  "quarantine.forever": "解除するまで",
  "quarantine.impossible": "センサーに接続されていないため、現在は変更できません。",
  "orders.read_only": "Home Assistant はこのゲートウェイからの読み取りだけを許可されているため、ここでは変更できません。",
  ...Jo,
  ...ea,
  ...ta,
  ...na,
  ...sa,
  ...ia,
  ...oa,
  "common.cancel": "キャンセル",
  "common.busy": "処理中…",
  "device.device": "デバイス",
  "device.name": "Hearthwall デバイス",
  "device.description": "1 台のデバイスの詳細です。1 日の通信量、通信相手、イベント、有効なルールを表示します。",
  "device.choose": "カードの設定でデバイスを選択してください。",
  "device.unknown": "センサーはこのデバイスを検出していません。",
  "device.moved": "今日 0 時から {today} · 累計 {all}",
  "device.first_seen": "初回検出: {since}",
  "device.history": "過去 24 時間",
  "device.history_sum": "↓ {download} · ↑ {upload}",
  "device.history_began": "↓ {download} · ↑ {upload} (Home Assistant の統計が始まった {time} 以降)",
  "device.history_at": "{time}: ↓ {download} · ↑ {upload}",
  "device.history_none": "統計はまだありません。デバイスの累計センサーをもとに数分以内に作成されます。",
  "device.peers": "通信相手",
  "device.peers_none": "過去 24 時間の通信相手はありません。",
  "device.peers_everybody": "ネットワーク全体 (マルチキャスト)",
  "device.peers_rest": "その他",
  "device.events": "イベント",
  "device.events_none": "イベントはありません。",
  "device.accepted": "問題なしとした動作",
  "device.revoke": "取り消す",
  "device.revoke_ask": "問題なしを取り消しますか？",
  "device.revoke_text": "今後、「{summary}」と同様のことを再びお知らせします。",
  "device.revoke_done": "同様のことを再びお知らせします。",
  "device.blocks": "有効なルール",
  "device.blocks_none": "有効なルールはありません。",
  "device.blocked_since": "{since} から",
  "device.blocked_packets": "{packets} パケット ({bytes}) を破棄",
  "device.blocked_nothing": "破棄したパケットはまだありません",
  "device.unblock_ask": "このルールを終了しますか？",
  "device.unblock_text": "止められていた通信が、すぐに通るようになります。",
  "device.unblock_done": "ルールを終了しました。",
  "device.profile": "普段の動作",
  "profile.learning": "{until} まで学習中です。",
  "profile.learnt": "{since} から学習しています (確からしさ {sure})。",
  "profile.frozen": "{since} から学習し、現在は固定されています。新しい動作は普段の動作とみなされません。",
  "profile.domains": "主な通信相手: {names}",
  "profile.countries": "通信相手の国: {names}",
  "profile.networks": "通信相手のネットワーク: {names}",
  "profile.speaks": "使用するプロトコル: {names}",
  "profile.day": "通常 1 日あたり、ダウンロード {download}、アップロード {upload} です。",
  "badge.name": "Hearthwall バッジ",
  "badge.description": "オンラインのデバイス数、有効なルールの数、まだ確認していない重大なイベントの数を表示します。",
  "badge.online": "{online}/{all} オンライン",
  "badge.blocks": "ルール {count} 件",
  "badge.alerts": "警告 {count} 件",
  "badge.silent": "応答なし",
  "badge.offline": "オフライン",
  "badge.lost": "未接続",
  "badge.navigation_path": "クリックしたときの移動先",
  "feature.name": "Hearthwall 隔離",
  "device.minute": "直近 1 分",
  "device.unblock": "ブロックを解除",
  "device.release_peer": "{peer} のブロックを解除する"
}, Ss = { en: Tn, ja: aa };
function v(n) {
  const e = n?.locale.language ?? (document.documentElement.lang || navigator.language), t = Ss[e] ?? Ss[e.split("-")[0] ?? ""] ?? Tn;
  return (s, i = {}) => t[s].replace(/\{(\w+)\}/g, (o, a) => String(i[a] ?? o));
}
const _e = (n) => n in Tn ? n : void 0, ra = {
  title: "common.title",
  sort: "devices.sort",
  area: "devices.area",
  label: "devices.label",
  toolbar: "devices.toolbar",
  entry_id: "common.gateway",
  navigation_path: "badge.navigation_path",
  device_id: "device.device"
}, la = {
  entry_id: "common.gateway.help"
};
function rt() {
  const n = (e) => ({ name: t }) => {
    const s = e[t];
    return s && v(void 0)(s);
  };
  return { computeLabel: n(ra), computeHelper: n(la) };
}
const T = "hearthwall", bi = (n) => n?.code === "unknown_command", X = (n) => {
  const e = n?.message;
  return typeof e == "string" ? e : String(n);
}, U = (n) => n.user?.is_admin ?? !1, en = 1e3, ca = 3e4, tn = (n) => {
  n && Promise.resolve(n()).catch(() => {
  });
};
function Nt(n, e, t) {
  let s = 0, i = en, o, a;
  const r = () => {
    s++, clearTimeout(o);
    const d = a;
    return a = void 0, d;
  }, l = async () => {
    const d = ++s;
    try {
      const p = await n.subscribeMessage(
        (y) => d === s && t.message(y),
        e,
        { resubscribe: !1 }
      );
      if (d !== s) return tn(p);
      a = p, i = en, t.up?.();
    } catch (p) {
      if (d !== s) return;
      o = setTimeout(() => void l(), i), i = Math.min(i * 2, ca), t.refused?.(p);
    }
  }, c = () => {
    tn(r()), i = en, l();
  }, h = () => {
    r(), t.down?.();
  };
  return n.addEventListener("ready", c), n.addEventListener("disconnected", h), n.connected === !1 ? h() : l(), () => {
    n.removeEventListener("ready", c), n.removeEventListener("disconnected", h), tn(r());
  };
}
const da = 120, Ms = 6, ha = 3e4;
class ua {
  constructor(e, t = () => Date.now() / 1e3) {
    this.connection = e, this.now = t, this.phase = "waiting", this.gateways = /* @__PURE__ */ new Map(), this.own = this.gateways, this.listeners = /* @__PURE__ */ new Set(), this.byId = /* @__PURE__ */ new Map(), this.told = !1, this.since = 0, this.lost = /* @__PURE__ */ new Set();
  }
  /** Call back after each change, at most once in a turn of the event loop; return how to end that. */
  listen(e) {
    return this.listeners.add(e), clearTimeout(this.lingering), this.end || this.start(), () => {
      !this.listeners.delete(e) || this.listeners.size || (this.lingering = setTimeout(() => this.stop(), ha));
    };
  }
  /** Whether there is nothing to show, and waiting for it has been in vain so far. */
  get missing() {
    return !this.gateways.size && this.phase !== "offline" && (this.lost.size > 0 || this.now() - this.since > Ms);
  }
  /** Return the device that Home Assistant's registry has under an id. */
  device(e) {
    return this.byId.get(e);
  }
  *devices() {
    for (const e of this.gateways.values()) yield* e.devices.values();
  }
  /** Whether a gateway's sensor takes no orders from Home Assistant. */
  isReadOnly(e) {
    return this.gateways.get(e)?.readOnly ?? !1;
  }
  /** Return the addresses of a gateway's devices. */
  addresses(e) {
    return new Set([...this.gateways.get(e)?.devices.values() ?? []].flatMap(({ row: t }) => t.addresses));
  }
  start() {
    this.since = this.now(), this.ticking = setInterval(() => this.look(), 1e3), this.end = Nt(
      this.connection,
      { type: "hearthwall/subscribe_devices" },
      {
        message: (e) => this.receive(e),
        up: () => this.enter(this.gateways.size ? "live" : "waiting"),
        down: () => this.enter("offline"),
        refused: () => this.enter("absent")
      }
    );
  }
  stop() {
    this.end?.(), this.end = void 0, clearInterval(this.ticking), this.lost.clear(), this.phase = "waiting", this.gateways.clear(), this.byId.clear();
  }
  enter(e) {
    if (e !== this.phase && (this.since = this.now()), this.phase = e, e !== "live") for (const t of this.own.values()) t.connected = !1;
    this.changed();
  }
  /** Tell who listens when a gateway falls silent, or when nothing has come at all. */
  look() {
    const e = (s) => s.connected && this.now() - s.heard > Ms, t = [...this.own.values()].filter((s) => s.stale !== e(s));
    for (const s of t) s.stale = !s.stale;
    (t.length || this.missing) && this.changed();
  }
  receive(e) {
    const { entry_id: t } = e, s = this.own.get(t);
    if (e.type === "snapshot") {
      const i = /* @__PURE__ */ new Map(), o = {
        entryId: t,
        name: e.gateway,
        deviceId: e.gateway_device_id,
        readOnly: e.role === "read",
        connected: !0,
        stale: !1,
        heard: this.now(),
        devices: i
      };
      this.own.set(t, o), this.lost.delete(t);
      for (const a of e.devices) this.put(o, a, s?.devices.get(a.mac)?.samples);
      for (const a of s?.devices.values() ?? []) i.has(a.row.mac) || this.forget(a);
      this.phase = "live";
    } else if (e.type === "removed") {
      this.own.delete(t), this.lost.delete(t);
      for (const i of s?.devices.values() ?? []) this.forget(i);
    } else if (s)
      if (e.type === "lost")
        s.connected = s.stale = !1;
      else if (e.type === "alive") {
        if (s.heard = this.now(), !s.stale) return;
        s.stale = !1;
      } else {
        s.connected = !0, s.stale = !1, s.heard = this.now();
        for (const i of e.devices) this.put(s, i, s.devices.get(i.mac)?.samples);
        for (const i of e.removed) {
          const o = s.devices.get(i);
          s.devices.delete(i), o && this.forget(o);
        }
      }
    else {
      if (e.type !== "lost") return;
      this.lost.add(t);
    }
    this.changed();
  }
  put(e, t, s = []) {
    const [i, o] = [t.upload_rate, t.download_rate].map((l) => Number.isFinite(l) ? l : 0), a = { time: this.now(), upload: i, download: o }, r = {
      key: `${e.entryId} ${t.mac}`,
      entryId: e.entryId,
      row: t,
      samples: [...s.slice(1 - da), a]
    };
    e.devices.set(t.mac, r), t.device_id && this.byId.set(t.device_id, r);
  }
  forget({ key: e, row: t }) {
    t.device_id && this.byId.get(t.device_id)?.key === e && this.byId.delete(t.device_id);
  }
  changed() {
    this.told || (this.told = !0, queueMicrotask(() => {
      this.told = !1;
      for (const e of [...this.listeners]) e();
    }));
  }
}
const Os = /* @__PURE__ */ new WeakMap();
function In(n) {
  let e = Os.get(n);
  return e || Os.set(n, e = new ua(n)), e;
}
class Re {
  constructor(e) {
    this.host = e, this.inPage = !1, e.addController(this);
  }
  hostConnected() {
    this.inPage = !0, this.follow();
  }
  hostUpdate() {
    this.follow();
  }
  hostDisconnected() {
    this.inPage = !1, this.end?.(), this.end = this.store = void 0;
  }
  follow() {
    const { hass: e } = this.host;
    if (!this.inPage || !e) return;
    const t = In(e.connection);
    t !== this.store && (this.end?.(), this.store = t, this.end = t.listen(() => this.host.requestUpdate()));
  }
}
const J = q`
  button {
    min-height: 40px;
    padding: 0 16px;
    border: none;
    border-radius: var(--ha-button-border-radius, 20px);
    font: inherit;
    font-weight: 500;
    cursor: pointer;
    background: none;
    color: inherit;
  }
  button.main,
  button.danger {
    --hearthwall-fill: var(--primary-color, #009ac7);
    background: color-mix(in srgb, var(--hearthwall-fill) 70%, #000);
    color: #fff;
  }
  button.danger {
    --hearthwall-fill: var(--error-color, #db4437);
  }
  /* The theme's colour, and as dark as white letters on it need */
  @supports (color: oklch(from red l c h)) {
    button.main,
    button.danger {
      background: oklch(from var(--hearthwall-fill) min(l, 0.52) c h);
    }
  }
  button.plain,
  button.quiet {
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--primary-text-color) 8%, transparent);
  }
  button.quiet {
    min-height: 32px;
    padding: 0 12px;
    font-size: 13px;
  }
  button:hover:not(:disabled) {
    filter: brightness(1.08);
  }
  button:disabled {
    cursor: default;
    opacity: 0.6;
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
`, W = q`
  :host {
    display: block;
    --hearthwall-download: var(--hearthwall-download-color, var(--blue-color, #2196f3));
    --hearthwall-upload: var(--hearthwall-upload-color, var(--purple-color, #926bc7));
    --hearthwall-line: var(--divider-color, rgb(127 127 127 / 30%));
  }
  ha-card {
    display: flex;
    flex-direction: column;
    height: 100%;
    overflow: hidden;
    color: var(--primary-text-color);
  }
  .card-title {
    flex: none;
    margin: 0;
    padding: 16px 16px 8px;
    font-size: var(--ha-card-header-font-size, 20px);
    font-weight: 400;
    line-height: 28px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .down {
    color: color-mix(in srgb, var(--hearthwall-download) 55%, var(--primary-text-color));
  }
  .up {
    color: color-mix(in srgb, var(--hearthwall-upload) 70%, var(--primary-text-color));
  }
  .secondary {
    color: var(--secondary-text-color);
    font-size: 12px;
    line-height: 16px;
  }
  .cut {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .message {
    padding: 32px 24px;
    text-align: center;
    color: var(--secondary-text-color);
    line-height: 20px;
  }
  .notice {
    margin: 0 16px 8px;
    padding: 8px 12px;
    border-radius: 8px;
    line-height: 20px;
    background: color-mix(in srgb, var(--warning-color, #ffa600) 18%, transparent);
  }
  .message a,
  .notice a {
    color: inherit;
    font-weight: 500;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
var pa = Object.defineProperty, $i = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && pa(e, t, i), i;
};
const Qn = class Qn extends I {
  setConfig(e) {
    this.config = e;
  }
  /** Propose the device of ours that moved most today, or the first. */
  static getStubConfig(e) {
    const t = [...In(e.connection).devices()].filter(({ row: o }) => o.device_id !== null).sort(({ row: o }, { row: a }) => a.download_today - o.download_today), s = Object.values(e.entities).find(
      ({ platform: o, translation_key: a }) => o === T && a === "quarantine"
    ), i = t[0]?.row.device_id ?? s?.device_id;
    return i ? { device_id: i } : {};
  }
  static getConfigForm() {
    return {
      schema: [
        {
          name: "device_id",
          required: !0,
          selector: { device: { filter: { integration: T }, entity: { domain: "switch", integration: T } } }
        },
        { name: "title", selector: { text: {} } }
      ],
      ...rt()
    };
  }
  getCardSize() {
    return 10;
  }
  getGridOptions() {
    return { columns: 12, rows: "auto", min_columns: 6, min_rows: 4 };
  }
  render() {
    const { hass: e, config: t } = this;
    return !e || !t ? m : u`<ha-card>
      <hearthwall-device-view
        .hass=${e}
        .deviceId=${t.device_id}
        .heading=${t.title || void 0}
      ></hearthwall-device-view>
    </ha-card>`;
  }
};
Qn.styles = W;
let Je = Qn;
$i([
  M({ attribute: !1 })
], Je.prototype, "hass");
$i([
  S()
], Je.prototype, "config");
var ma = Object.defineProperty, Ut = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && ma(e, t, i), i;
};
const Zn = class Zn extends I {
  /** Open it, at its events if those are asked for. */
  async open(e, t) {
    this.deviceId = e, this.at = t, await this.updateComplete, this.dialog.open || this.dialog.showModal();
  }
  render() {
    const { hass: e, deviceId: t } = this;
    if (!e || !t) return m;
    const s = v(e);
    return u`<dialog
      aria-label=${s("device.device")}
      @close=${() => this.deviceId = void 0}
      @click=${(i) => i.target === this.dialog && this.dialog.close()}
    >
      <div class="inside">
        <div class="bar">
          <button class="close" aria-label=${s("common.close")} title=${s("common.close")} @click=${() => this.dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6 18 18M18 6 6 18"></path></svg>
          </button>
        </div>
        <hearthwall-device-view .hass=${e} .deviceId=${t} .at=${this.at}></hearthwall-device-view>
      </div>
    </dialog>`;
  }
};
Zn.styles = [
  J,
  W,
  q`
      :host {
        display: contents;
      }
      dialog {
        box-sizing: border-box;
        width: min(920px, calc(100vw - 48px));
        max-width: none;
        height: fit-content;
        max-height: calc(100dvh - 48px);
        padding: 0;
        border: none;
        border-radius: var(--ha-dialog-border-radius, 24px);
        overflow: hidden auto;
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        box-shadow: 0 8px 32px rgb(0 0 0 / 40%);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 50%);
      }
      .bar {
        position: sticky;
        top: 0;
        z-index: 2;
        height: 0;
        display: flex;
        justify-content: flex-end;
      }
      .close {
        flex: none;
        width: 44px;
        height: 44px;
        margin: 10px;
        padding: 10px;
        border-radius: 50%;
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
      }
      svg {
        display: block;
        width: 24px;
        height: 24px;
        fill: none;
        stroke: currentcolor;
        stroke-width: 2;
        stroke-linecap: round;
      }
      hearthwall-device-view {
        --hearthwall-head-space: 52px;
      }
      @media (max-width: 600px) {
        dialog {
          width: 100vw;
          height: 100dvh;
          max-height: none;
          border-radius: 0;
        }
      }
    `
];
let we = Zn;
Ut([
  M({ attribute: !1 })
], we.prototype, "hass");
Ut([
  S()
], we.prototype, "deviceId");
Ut([
  S()
], we.prototype, "at");
Ut([
  j("dialog")
], we.prototype, "dialog");
const Es = {
  comma_decimal: ["en-US", "en"],
  decimal_comma: ["de", "es", "it"],
  space_comma: ["fr", "sv", "cs"],
  quote_decimal: ["de-CH"],
  system: void 0
}, Cs = ["kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"], xi = 1e3, _i = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1]
], nn = /* @__PURE__ */ new Map();
function Ie(n, e) {
  return nn.has(n) || nn.set(n, e()), nn.get(n);
}
const lt = "–", fa = 1e19, va = 864e10, Pn = (n) => Math.abs(n) <= va;
function je({ locale: n }, e, t) {
  if (!Number.isFinite(e)) return lt;
  const { language: s, number_format: i } = n, o = `${s} ${i} ${JSON.stringify(t)}`, a = Ie(`n ${o}`, () => new Intl.NumberFormat(s, { useGrouping: i !== "none", ...t }));
  if (!(i in Es)) return a.format(e);
  const r = Ie(`d ${o}`, () => {
    const { style: p, unit: y, unitDisplay: g, ...$ } = t;
    return new Intl.NumberFormat(Es[i], $);
  }), l = (p) => ["integer", "group", "decimal", "fraction", "minusSign"].includes(p.type), c = a.formatToParts(e), h = c.findIndex(l), d = r.format(t.style === "percent" ? e * 100 : e);
  return c.map((p, y) => y === h ? d : l(p) ? "" : p.value).join("");
}
function ki(n, e, t) {
  if (!(Math.abs(e) < fa)) return lt;
  let s = Math.max(0, e) / 1e3, i = 0;
  for (; Math.round(s) >= 1e3 && i < Cs.length - 1; )
    s /= 1e3, i++;
  return je(n, s, {
    style: "unit",
    unit: `${Cs[i]}${t}`,
    unitDisplay: "short",
    maximumFractionDigits: s >= 100 ? 0 : 1
    // Some languages write KB, Home Assistant writes kB in each
  }).replace("KB", "kB");
}
const C = (n, e) => ki(n, e, ""), et = (n, e) => ki(n, e, "-per-second"), L = (n, e) => je(n, e, { maximumFractionDigits: 0 }), Ot = (n, e) => {
  const t = e > 0 && e < 0.01;
  return `${t ? "<" : ""}${je(n, t ? 0.01 : e, { style: "percent", maximumFractionDigits: 0 })}`;
};
function ga({ locale: n, config: e }) {
  const t = {};
  return (n.time_format === "12" || n.time_format === "24") && (t.hour12 = n.time_format === "12"), n.time_zone === "server" && (t.timeZone = e.time_zone), t;
}
function Ln(n, e, t) {
  if (!Pn(e)) return lt;
  const { language: s, time_format: i } = n.locale, o = { ...t, ...ga(n) }, a = i === "system" ? void 0 : s;
  return Ie(`t ${a} ${JSON.stringify(o)}`, () => new Intl.DateTimeFormat(a, o)).format(
    e * xi
  );
}
const wn = (n, e) => Ln(n, e, { hour: "numeric", minute: "2-digit" }), ya = (n, e) => Ln(n, e, { hour: "numeric", minute: "2-digit", second: "2-digit" }), F = (n, e) => Ln(n, e, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
function tt(n, e, t = Date.now() / xi) {
  if (!Pn(e)) return lt;
  const s = Math.max(0, Math.round(t - e)), [i, o] = _i.find(([, a]) => s >= a) ?? ["second", 1];
  return Ie(
    `r ${n.locale.language}`,
    () => new Intl.RelativeTimeFormat(n.locale.language, { numeric: "auto" })
  ).format(-Math.floor(s / o), i);
}
const Ai = (n, e, t) => je(n, e, { style: "unit", unit: t, unitDisplay: "long", maximumFractionDigits: 0 });
function qn(n, e) {
  const [t, s] = _i.find(([, i]) => e >= i) ?? ["second", 1];
  return Ai(n, Math.round(e / s), t);
}
function nt(n, e) {
  const t = (a, r) => je(n, a, { style: "unit", unit: r, unitDisplay: "short", maximumFractionDigits: 0 });
  if (!Pn(e)) return lt;
  const s = Math.max(0, Math.ceil(e));
  if (s < 60) return t(s, "second");
  if (s >= 2 * 86400) return Ai(n, Math.floor(s / 86400), "day");
  const i = Math.ceil(s / 60);
  return [
    [Math.floor(i / 60), "hour"],
    [i % 60, "minute"]
  ].flatMap(([a, r]) => a ? [t(a, r)] : []).join(" ");
}
function Hn({ locale: n }, e) {
  try {
    return Ie(`c ${n.language}`, () => new Intl.DisplayNames(n.language, { type: "region" })).of(e) ?? e;
  } catch {
    return e;
  }
}
const ct = ({ locale: n }) => Ie(`s ${n.language}`, () => new Intl.Collator(n.language, { numeric: !0, sensitivity: "base" })).compare;
var wa = Object.defineProperty, zt = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && wa(e, t, i), i;
};
const sn = 960, gt = 120, Ts = 0.15, Is = 4, Xn = class Xn extends I {
  constructor() {
    super(...arguments), this.spans = [], this.onPointer = (e) => {
      const t = e.currentTarget.getBoundingClientRect(), s = (e.clientX - t.left) / t.width;
      this.at = Math.min(this.spans.length - 1, Math.max(0, Math.floor(s * this.spans.length)));
    }, this.onKey = (e) => {
      const t = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      t && (e.preventDefault(), this.at = Math.min(this.spans.length - 1, Math.max(0, (this.at ?? this.spans.length) + t)));
    };
  }
  render() {
    const { hass: e, spans: t } = this;
    if (!e || !t.length) return m;
    const s = v(e), i = Math.max(1, ...t.map(({ download: $ }) => $)), o = Math.max(1, ...t.map(({ upload: $ }) => $)), a = Math.round(gt * Math.min(1 - Ts, Math.max(Ts, i / (i + o)))), r = Math.max(i / (a - 2), o / (gt - a - 2)), l = sn / t.length, c = ($, A, H) => {
      const P = A[$] && Math.max(1.5, A[$] / r), R = $ === "download" ? a - 1 - P : a + 1;
      return P ? Ce`<rect class=${$} x=${H * l + 1} y=${R} width=${l - 2} height=${P} rx="1.5"></rect>` : m;
    }, h = ($) => C(e, t.reduce((A, H) => A + H[$], 0)), d = { download: h("download"), upload: h("upload") }, p = this.began === void 0 ? s("device.history_sum", d) : s("device.history_began", { ...d, time: F(e, this.began / 1e3) }), y = this.at === void 0 ? void 0 : t[this.at], g = y && s("device.history_at", {
      time: wn(e, y.start / 1e3),
      download: C(e, y.download),
      upload: C(e, y.upload)
    });
    return u`
      <div class="words" aria-live="polite">${g ?? p}</div>
      <svg
        viewBox="0 0 ${sn} ${gt}"
        preserveAspectRatio="none"
        role="img"
        tabindex="0"
        aria-label=${g ?? `${s("device.history")}: ${p}`}
        @pointermove=${this.onPointer}
        @pointerdown=${this.onPointer}
        @pointerleave=${() => this.at = void 0}
        @keydown=${this.onKey}
        @blur=${() => this.at = void 0}
      >
        ${this.at === void 0 ? m : Ce`<rect class="at" x=${this.at * l} y="0" width=${l} height=${gt}></rect>`}
        ${t.map(($, A) => [c("download", $, A), c("upload", $, A)])}
        <line x1="0" x2=${sn} y1=${a} y2=${a}></line>
      </svg>
      <div class="times" aria-hidden="true">
        ${Array.from({ length: Is + 1 }, ($, A) => {
      const H = t[t.length - 1]?.start ?? 0, P = t[0]?.start ?? 0;
      return u`<span>${wn(e, (P + (H - P) * A / Is) / 1e3)}</span>`;
    })}
      </div>
    `;
  }
};
Xn.styles = q`
    :host {
      display: block;
      font-variant-numeric: tabular-nums;
    }
    .words {
      min-height: 20px;
      margin-bottom: 4px;
      line-height: 20px;
      color: var(--secondary-text-color);
    }
    svg {
      display: block;
      width: 100%;
      height: 120px;
      touch-action: pan-y;
      border-radius: 4px;
    }
    svg:focus-visible {
      outline: 2px solid var(--primary-color);
      outline-offset: 2px;
    }
    .download {
      fill: var(--hearthwall-download);
    }
    .upload {
      fill: var(--hearthwall-upload);
    }
    .at {
      fill: var(--primary-text-color);
      fill-opacity: 0.12;
    }
    line {
      stroke: var(--hearthwall-line);
      vector-effect: non-scaling-stroke;
    }
    .times {
      display: flex;
      justify-content: space-between;
      margin-top: 4px;
      font-size: 11px;
      line-height: 16px;
      color: var(--secondary-text-color);
    }
  `;
let be = Xn;
zt([
  M({ attribute: !1 })
], be.prototype, "hass");
zt([
  M({ attribute: !1 })
], be.prototype, "spans");
zt([
  M({ attribute: !1 })
], be.prototype, "began");
zt([
  S()
], be.prototype, "at");
const Si = q`
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
`, ba = 86400, Ps = 200, $a = 15e3, xa = 3e4, bn = ({ time: n, last_time: e }) => e ?? n, _a = (n, e) => n.severity === e.severity ? bn(n) > bn(e) : n.severity === "critical", on = ({ entry_id: n, seq: e }) => `${n} ${e}`;
class ka {
  constructor(e) {
    this.hass = e, this.events = /* @__PURE__ */ new Map(), this.accepted = /* @__PURE__ */ new Set(), this.listeners = /* @__PURE__ */ new Set();
  }
  listen(e) {
    return this.listeners.add(e), clearTimeout(this.lingering), this.end || this.start(), () => {
      !this.listeners.delete(e) || this.listeners.size || (this.lingering = setTimeout(() => this.stop(), xa));
    };
  }
  /** Return what there is of a device. */
  of({ entryId: e, row: t }) {
    return Ls(this.open((s) => s.entry_id === e && s.mac === t.mac));
  }
  /** Return what there is of a gateway, or of all, its own programs among them. */
  all(e) {
    return Ls(this.open((t) => !e || t.entry_id === e));
  }
  /** Ask again what was accepted, such as after an order. */
  async refresh() {
    if (this.events.size)
      try {
        const { accepted: e } = await this.hass.callWS({ type: "hearthwall/accepted" });
        this.accepted = new Set(e.map(on)), this.told();
      } catch {
      }
  }
  open(e) {
    const t = Date.now() / 1e3 - ba;
    return [...this.events.values()].filter(
      (s) => e(s) && bn(s) > t && !this.accepted.has(on(s))
    );
  }
  start() {
    this.end = Nt(
      this.hass.connection,
      { type: "hearthwall/subscribe_events", severity: "high", limit: Ps },
      { message: (e) => this.receive(e) }
    ), this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), $a);
  }
  stop() {
    this.end?.(), this.end = void 0, clearInterval(this.timer), this.events.clear();
  }
  receive({ type: e, events: t }) {
    if (!(e !== "events" || !t.length)) {
      for (const s of t) this.events.set(on(s), s);
      for (const s of [...this.events.keys()].slice(0, -Ps)) this.events.delete(s);
      this.refresh(), this.told();
    }
  }
  told() {
    for (const e of [...this.listeners]) e();
  }
}
function Ls(n) {
  if (n.length)
    return { event: n.reduce((e, t) => _a(t, e) ? t : e), count: n.length };
}
const qs = /* @__PURE__ */ new WeakMap();
function Mi(n) {
  if (!U(n)) return;
  let e = qs.get(n.connection);
  return e || qs.set(n.connection, e = new ka(n)), e;
}
class Oi {
  constructor(e) {
    this.host = e, this.inPage = !1, e.addController(this);
  }
  hostConnected() {
    this.inPage = !0, this.follow();
  }
  hostUpdate() {
    this.follow();
  }
  hostDisconnected() {
    this.inPage = !1, this.end?.(), this.end = this.alerts = void 0;
  }
  follow() {
    const { hass: e } = this.host, t = this.inPage && e ? Mi(e) : void 0;
    !t || t === this.alerts || (this.end?.(), this.alerts = t, this.end = t.listen(() => this.host.requestUpdate()));
  }
}
const Aa = /* @__PURE__ */ new Set(["tor", "socks"]), dt = (n) => n.length <= 5 && !Aa.has(n) ? n.toUpperCase() : n.charAt(0).toUpperCase() + n.slice(1);
async function ht({ confirm: n, notice: e, after: t }, s, i, o) {
  let a;
  return await n.ask({ ...s, act: async (l) => a = await s.act(l) }) ? (e.show(
    i,
    a && (async () => {
      await a?.(), o?.(), await t?.();
    })
  ), await t?.(), !0) : !1;
}
const st = (n, e, t) => (
  // The cards show themselves what fails
  n.callService(T, e, t, void 0, !1)
), it = "pid:", Hs = "dir:", Dt = (n) => n === null ? {} : { duration: { seconds: n } }, Rs = (n) => Math.max(1, Math.round(n - Date.now() / 1e3)), Ei = ({ expires: n, confirm_by: e }) => [n, e].some((t) => t !== null && t <= Date.now() / 1e3), Ci = (n, { transport: e = null, port: t = null }) => n.transport === e && n.port === t, Ti = (n) => (n ?? {}).response?.blocks ?? [];
async function Bt(n, e, t) {
  const s = { config_entry_id: e, ...t === void 0 ? {} : { target: t } };
  return Ti(await n.callService(T, "get_blocks", s, void 0, !1, !0));
}
const Pe = async (n, e, t) => (await Bt(n, e, t.target)).find((s) => Ci(s, t)), Et = (n) => new Error(v(n)("orders.changed")), Sa = async (n, e, t) => ({
  entryId: e,
  target: t,
  rule: await Pe(n, e, { target: t })
});
async function Rn(n, { entryId: e, target: t, rule: s }, i, o, a) {
  const [r, l] = await Promise.all([Pe(n, e, { target: t }), Bt(n, e)]);
  if (r?.id !== s?.id) throw Et(n);
  const [c] = Ti(
    await n.callService(T, i, o, a === void 0 ? void 0 : { device_id: [a] }, !1, !0)
  );
  if (!c) return;
  const h = l.find((d) => d.target === c.target && Ci(d, c));
  return async () => {
    const d = await Pe(n, e, c);
    if (d) {
      if (d.id !== c.id) throw Et(n);
      h && !Ei(h) ? await Li(n, e, h) : await st(n, "unblock", { id: c.id, config_entry_id: e });
    }
  };
}
function Ma(n, e, t, s) {
  return t === null ? Ii(n, e, s) : Rn(n, e, "quarantine", Dt(s), t);
}
const Ii = (n, e, t) => Rn(n, e, "block", { target: e.target, config_entry_id: e.entryId, ...Dt(t) });
function Pi(n) {
  return n.startsWith(it) ? { pid: Number(n.slice(it.length)) } : n.startsWith(Hs) ? { folder: n.slice(Hs.length) } : { executable: n };
}
function Oa(n, e, t) {
  const { entryId: s, target: i } = e, o = i.startsWith(it) ? { children: !0 } : {}, a = { ...Pi(i), ...o, config_entry_id: s, ...Dt(t) };
  return Rn(n, e, "block_process", a);
}
const Ea = ({ mode: n, direction: e, transport: t, port: s }) => n === "isolate" && e === "any" && t === null && s === null;
async function Ca(n, { entryId: e, row: t }) {
  const s = await Pe(n, e, { target: t.mac });
  if (!s || !Ea(s)) throw Et(n);
  return qi(n, e, s);
}
const Ta = [
  "mode",
  "allow",
  "reason",
  "transport",
  "port",
  "direction",
  "peers",
  "bytes_per_second",
  "packets_per_second",
  "redirect_to",
  "audits"
];
async function Li(n, e, t) {
  const { expires: s, confirm_by: i, peers: o, reason: a } = t, r = t.asked ?? t.target, l = {
    ...s === null ? {} : Dt(Rs(s)),
    ...i === null ? {} : { confirm_within: { seconds: Rs(i) } }
  }, c = (d) => Object.fromEntries(
    d.filter(([p, y]) => y !== null && y !== "" && !(p === "peers" && !o.length))
  ), h = { config_entry_id: e, ...l };
  if (t.children) {
    const d = c([["reason", a], ["peers", o]]), p = t.mode === "audit" ? { audit: !0 } : {};
    await st(n, "block_process", { ...Pi(r), children: !0, ...h, ...d, ...p });
  } else
    await st(n, "block", { target: r, ...h, ...c(Ta.map((d) => [d, t[d]])) });
}
async function qi(n, e, t) {
  if (await st(n, "unblock", { id: t.id, config_entry_id: e }), !await Pe(n, e, t))
    return async () => {
      if (await Pe(n, e, t)) throw Et(n);
      Ei(t) || await Li(n, e, t);
    };
}
const Ia = (n, e, t) => n.callWS({ type: "hearthwall/revoke", entry_id: e, acceptance: t });
async function Hi(n, e, t) {
  return await st(n, "accept", { seq: t, config_entry_id: e }), () => n.callWS({ type: "hearthwall/revoke", entry_id: e, seq: t });
}
const yt = 3600, Pa = [yt / 4, yt, 8 * yt, 24 * yt], Ri = "forever";
function La(n, e) {
  const t = v(n), s = e === void 0 ? 0 : e.expires === null ? 1 / 0 : e.expires - Date.now() / 1e3;
  return [
    ...e?.mode === "isolate" && e.direction === "any" && s === 1 / 0 ? [] : [{ value: Ri, label: t("quarantine.forever") }],
    ...Pa.filter((o) => o > s).map((o) => ({
      value: String(o),
      label: t("quarantine.for", { span: qn(n, o) })
    }))
  ];
}
const qa = ({ reason: n, expires: e }) => e !== null && _e(`kind.${n.split(": ", 1)[0]}`) !== void 0 && n.includes(": ");
function Ha(n, e) {
  const t = v(n), s = e.expires === null ? t("orders.endless") : t("orders.until", { time: F(n, e.expires) }), i = `${t(_e(`mode.${e.mode}`) ?? "mode.other")} (${s})`;
  return t(qa(e) ? "orders.replaces_response" : "orders.replaces", { rule: i });
}
async function jn(n, e) {
  const { hass: t, notice: s } = n, { entryId: i, target: o, name: a, title: r, text: l, confirm: c, told: h, act: d } = e;
  let p;
  try {
    p = await Sa(t, i, o);
  } catch (A) {
    return s.show(X(A)), !1;
  }
  const { rule: y } = p, g = La(t, y);
  if (!g.length)
    return s.show(v(t)("orders.already", { name: a })), !1;
  const $ = (A) => A === Ri ? null : Number(A);
  return ht(
    n,
    {
      title: r,
      text: y ? `${l} ${Ha(t, y)}` : l,
      confirm: c,
      danger: !0,
      choices: g,
      act: (A) => d(p, $(A))
    },
    h
  );
}
function ji(n, { entryId: e, mac: t, name: s, deviceId: i }) {
  const { hass: o } = n, a = v(o);
  return jn(n, {
    entryId: e,
    target: t,
    name: s,
    title: a("quarantine.ask", { name: s }),
    text: a("quarantine.text"),
    confirm: a("quarantine.confirm"),
    told: a("quarantine.on", { name: s }),
    act: (r, l) => Ma(o, r, i, l)
  });
}
function Vt(n, e) {
  const { hass: t } = n, s = v(t), { name: i, mac: o, device_id: a, quarantined: r } = e.row;
  return r ? ht(
    n,
    {
      title: s("quarantine.release_ask", { name: i }),
      text: s("quarantine.release_text"),
      confirm: s("quarantine.release"),
      act: () => Ca(t, e)
    },
    s("quarantine.off", { name: i })
  ) : ji(n, { entryId: e.entryId, mac: o, name: i, deviceId: a });
}
const Ra = /* @__PURE__ */ new Set(["blocked", "unblocked"]), ja = /* @__PURE__ */ new Set([
  "behaviour_anomaly",
  "connection_burst",
  "local_device_on_internet",
  "unexpected_destination",
  "volume_anomaly"
]), Na = /* @__PURE__ */ new Set(["unexpected_process", "suspicious_syscall", "exec_and_connect"]), Ua = /* @__PURE__ */ new Set(["connection_burst", "volume_anomaly"]), js = {
  new_device: [{ subject: "many", key: "measure.devices" }],
  threat_address: [
    { subject: "address ", key: "measure.packets" },
    { subject: "many of ", key: "measure.addresses" }
  ],
  threat_domain: [{ subject: "many of ", key: "measure.names" }],
  unexpected_destination: [
    { subject: "quiet hours", key: "measure.moved", unit: "bytes" },
    { key: "measure.surprise" }
  ],
  segment_crossing: [{ subject: "spoofed source", key: "measure.flows" }],
  port_scan: [{ key: "measure.ports" }],
  address_scan: [{ key: "measure.hosts" }],
  connection_burst: [{ key: "measure.connections" }],
  flood: [{ subject: "many", key: "measure.sources" }, { key: "measure.packet_rate" }],
  volume_anomaly: [
    { subject: "upload", key: "measure.sent", unit: "megabytes" },
    { key: "measure.received", unit: "megabytes" }
  ],
  behaviour_anomaly: [{ key: "measure.differences" }],
  beacon: [{ key: "measure.evenness" }],
  dns_tunnel: [
    { subject: "server ", key: "measure.packet_size", unit: "bytes" },
    { key: "measure.names_asked" }
  ],
  address_conflict: [
    { subject: "many addresses", key: "measure.addresses_claimed" },
    { key: "measure.claims" }
  ]
};
function ut(n) {
  const e = _e(`kind.${n}.meaning`) ? n : "other";
  return {
    name: `kind.${e}`,
    meaning: `kind.${e}.meaning`,
    advice: `kind.${e}.advice`
  };
}
const za = (n, e) => Object.hasOwn(js, n) ? js[n].find((t) => e.startsWith(t.subject ?? "")) : void 0, Ni = 10, Ns = 300, Da = (n) => typeof n == "object" && n !== null && !Array.isArray(n), wt = (n) => Array.isArray(n) ? n.filter(Da).slice(0, Ni) : [], se = (n) => typeof n == "number" && Number.isFinite(n) ? n : null;
function O(n) {
  const e = typeof n == "string" || typeof n == "number" ? String(n) : "";
  return e.length > Ns ? `${e.slice(0, Ns)}…` : e;
}
function Ba(n, e) {
  const { evidence: t } = e;
  return {
    detector: O(t.detector),
    why: O(t.why),
    measured: Wa(n, e),
    flows: [...wt(t.flows), ...wt(t.connections)].slice(0, Ni).map(Va),
    processes: wt(t.chain).map((s) => ({
      program: O(s.executable),
      pid: se(s.pid),
      commandLine: O(s.command_line)
    })),
    files: wt(t.files).map((s) => ({ path: O(s.path), by: O(s.by) }))
  };
}
function Va(n) {
  const e = O(n.peer_name) || O(n.peer_address), t = se(n.peer_port), s = O(n.application), i = [s === "unknown" ? "" : dt(s), O(n.transport).toUpperCase()].filter(Boolean);
  return {
    peer: t ? `${e.includes(":") ? `[${e}]` : e}:${t}` : e,
    what: i.join(", "),
    upload: se(n.upload_bytes),
    download: se(n.download_bytes)
  };
}
function Wa(n, { kind: e, subject: t, evidence: s }) {
  const i = v(n), o = za(e, t), a = se(s.value), r = [];
  if (o && a !== null) {
    const c = (p) => o.unit ? C(n, p * (o.unit === "bytes" ? 1 : 1e6)) : Fa(n, p);
    r.push([i("events.measured"), i(o.key, { value: c(a) })]);
    const h = s.threshold, d = Array.isArray(h) && h.length === 2 ? h.map(se) : null;
    d && d[0] != null && d[1] != null ? r.push([i("events.band"), i("events.band.text", { usual: c(d[0]), most: c(d[1]) })]) : se(h) !== null && h !== 1 && r.push([i("events.threshold"), c(h)]);
  }
  const l = se(s.window);
  return l !== null && l >= 1 && r.push([i("events.window"), qn(n, l)]), r;
}
const Fa = (n, e) => Number.isInteger(e) || Math.abs(e) >= 1e3 ? L(n, e) : je(n, e, { maximumSignificantDigits: 3 });
function Ga({ event: n, culprit: e, program: t, blockable_peer: s }) {
  return Ra.has(n.kind) ? { accept: !1, peer: null, culprit: null, program: null } : { accept: !!(n.mac ?? n.process ?? n.address), peer: s, culprit: e, program: t };
}
function Ne({ mac: n, device_name: e, process: t, address: s, gateway: i }) {
  return O(n === null && t ? t.split("@")[0].split("/").at(-1) || t : (n === null ? null : e) ?? n ?? s ?? i);
}
const Nn = (n, e, t) => n?.gateways.get(e.entry_id)?.devices.get(t);
function Ui(n, e, t) {
  const s = Nn(n, e, t)?.row.name;
  return O(s ?? (t === e.mac ? Ne(e) : t));
}
function Ya(n, e, t) {
  const { hass: s } = n, i = v(s), [o, a] = [Ne(e), i(ut(e.kind).name)], l = [
    e.kind === "forbidden_protocol" && /^\w+$/.test(e.subject) ? i("events.accept.text_speaks", { who: o, subject: dt(e.subject) }) : e.subject ? i("events.accept.text_subject", { who: o, kind: a, subject: O(e.subject) }) : i("events.accept.text", { who: o, kind: a }),
    Ua.has(e.kind) ? i("events.accept.amount") : "",
    ja.has(e.kind) ? i("events.accept.learnt") : ""
  ];
  return ht(
    n,
    {
      title: i("events.accept.ask"),
      text: l.filter(Boolean).join(" "),
      confirm: i("events.accept"),
      act: () => Hi(s, e.entry_id, e.seq)
    },
    i("events.accepted", { kind: a }),
    t
  );
}
function zi(n, e, t) {
  const { hass: s } = n, i = v(s), o = { peer: O(t) };
  return jn(n, {
    entryId: e,
    target: t,
    name: o.peer,
    title: i("events.block.ask", o),
    text: i("events.block.text", o),
    confirm: i("events.block"),
    told: i("events.blocked", o),
    act: (a, r) => Ii(s, a, r)
  });
}
function Ka(n, e, t) {
  const { hass: s } = n, i = v(s), { entry_id: o, seq: a } = e, r = Ne(e);
  return jn(n, {
    entryId: o,
    target: t,
    name: r,
    title: i("events.stop.ask", { name: r }),
    text: t.startsWith(it) ? i("events.stop.text_process", { pid: t.slice(it.length) }) : i("events.stop.text", { path: O(t.slice(t.indexOf(":") + 1)) }),
    confirm: i("events.stop.confirm"),
    told: i("events.stopped", { name: r }),
    act: async (l, c) => {
      if ((await s.callWS({ type: "hearthwall/event", entry_id: o, seq: a })).program !== t) throw new Error(i("events.ended"));
      return Oa(s, l, c);
    }
  });
}
function Qa(n, e, t, s) {
  const i = Nn(e, t, s);
  if (i) return Vt(n, i);
  const { entry_id: o } = t, a = Ui(e, t, s);
  return ji(n, { entryId: o, mac: s, name: a, deviceId: null });
}
const Le = ["info", "low", "medium", "high", "critical"], Ct = 500, an = { severity: "info", kind: null, who: null }, N = ({ entry_id: n, seq: e }) => `${n}/${e}`, Di = ({ mac: n, process: e, address: t, entry_id: s }) => JSON.stringify([s, n ?? e ?? t ?? ""]), qe = (n) => Math.max(0, Le.indexOf(n)), Us = (n, e) => e.time - n.time || e.seq - n.seq || (n.entry_id < e.entry_id ? -1 : 1);
class Za {
  constructor() {
    this.events = [], this.waiting = [];
  }
  /** Take events; `hold` says to let new ones wait. */
  receive(e, t) {
    const s = new Map(this.events.map((a) => [N(a), a])), i = new Map(this.waiting.map((a) => [N(a), a])), o = this.events[0]?.time ?? -1 / 0;
    for (const a of e) {
      const r = N(a);
      (!s.has(r) && (i.has(r) || t && a.time > o) ? i : s).set(r, a);
    }
    this.events = [...s.values()].sort(Us).slice(0, Ct), this.waiting = [...i.values()].sort(Us).slice(0, Ct);
  }
  /** Show those that wait. */
  release() {
    const { waiting: e } = this;
    this.waiting = [], this.receive(e, !1);
  }
  /** Forget everything. */
  clear() {
    this.events = this.waiting = [];
  }
}
function zs(n, { severity: e, kind: t, who: s }) {
  const i = qe(e);
  return n.filter(
    (o) => qe(o.severity) >= i && (t === null || o.kind === t) && (s === null || Di(o) === s)
  );
}
function Ds(n, e, t, s) {
  const i = /* @__PURE__ */ new Map();
  for (const o of n) {
    const a = e(o);
    i.has(a) || i.set(a, t(o));
  }
  return [...i].map(([o, a]) => ({ id: o, name: a })).sort((o, a) => s(o.name, a.name));
}
function Xa(n, e) {
  const t = [];
  for (const s of n) {
    const i = e(s.time), o = t.at(-1);
    o?.day === i ? o.events.push(s) : t.push({ day: i, events: [s] });
  }
  return t;
}
class Bi {
  constructor(e, t) {
    this.host = e, this.page = t, this.key = null, this.asked = /* @__PURE__ */ new Map(), this.accepted = /* @__PURE__ */ new Set();
  }
  close() {
    this.key = null, this.host.requestUpdate();
  }
  /** Return how an event is shown; `more` says what the list knows better. */
  viewOf(e, t, s) {
    const i = N(t);
    return {
      hass: e,
      store: this.page(e).store,
      open: this.key === i,
      fresh: !1,
      asked: this.asked.get(i),
      accepted: this.accepted.has(i),
      ...s,
      onToggle: () => this.toggle(e, t),
      onRetry: () => void this.ask(e, t),
      onOrder: (o, a) => void this.order(e, o, t, a)
    };
  }
  toggle(e, t) {
    const s = N(t);
    this.key = this.key === s ? null : s, this.asked.delete(s), this.key && this.ask(e, t), this.host.requestUpdate();
  }
  note(e, t) {
    this.asked.set(N(e), t), this.host.requestUpdate();
  }
  async ask(e, t) {
    const { entry_id: s, seq: i } = t, o = this.asked.get(N(t));
    o && "problem" in o && this.note(t, void 0);
    try {
      this.note(t, await e.callWS({ type: "hearthwall/event", entry_id: s, seq: i }));
    } catch (a) {
      this.note(t, { problem: X(a) });
    }
  }
  async order(e, t, s, i) {
    const o = this.page(e);
    await {
      accept: () => this.accept(o, s),
      block: () => zi(o, s.entry_id, i.blockable_peer),
      quarantine: () => Qa(o, o.store, s, i.culprit),
      stop: () => Ka(o, s, i.program)
    }[t]();
  }
  async accept(e, t) {
    const { hass: s } = e, i = (o) => {
      this.setAccepted(t, o), Mi(s)?.refresh();
    };
    await Ya(e, t, () => i(!1)) && i(!0);
  }
  setAccepted(e, t) {
    t ? this.accepted.add(N(e)) : this.accepted.delete(N(e)), this.host.requestUpdate();
  }
}
const Vi = (n) => U(n) ? u` <a href="/config/repairs">${v(n)("common.repairs")}</a>` : m, Wi = (n) => u`<div class="message" role="status">${v(n)("common.not_connected")}${Vi(n)}</div>`;
function Wt(n, e) {
  if (e?.gateways.size) return;
  const t = v(n), s = !n.config.components.includes(T) && e?.phase !== "offline";
  return !s && e?.missing ? Wi(n) : u`<div class="message" role="status">${t(s ? "common.absent" : "common.loading")}</div>`;
}
function Ft(n, e, t) {
  const s = v(n), i = [...e?.gateways.values() ?? []], o = i.filter(
    (r) => (!r.connected || r.stale) && (!t || r.entryId === t)
  );
  if (!o.length) return m;
  const a = (r) => ya(n, r);
  if (e?.phase === "offline" || e?.phase === "absent") {
    const r = Math.max(...o.map((l) => l.heard));
    return u`<div class="notice" role="status">${s("common.offline", { time: a(r) })}</div>`;
  }
  return o.map(({ name: r, heard: l, stale: c }) => {
    const h = { gateway: r, time: a(l) }, d = s(c ? i.length > 1 ? "common.stale_named" : "common.stale" : i.length > 1 ? "common.lost_named" : "common.lost", h);
    return u`<div class="notice" role="status">${d}${Vi(n)}</div>`;
  });
}
function Fi({ rule: n, quarantined: e, online: t }) {
  if (e) return { key: "mode.isolate", tone: "bad", expires: n?.expires ?? null };
  if (n) {
    const s = n.mode === "audit" ? "none" : "held";
    return { key: _e(`mode.${n.mode}`) ?? "mode.other", tone: s, expires: n.expires };
  }
  return t ? { key: "status.online", tone: "good", expires: null } : { key: "status.away", tone: "none", expires: null };
}
function Bs(n) {
  return n.quarantined ? 0 : n.rule ? 1 : n.online ? 2 : 3;
}
const kt = /* @__PURE__ */ new Set();
let rn;
function Ja() {
  if (document.visibilityState !== "hidden") for (const n of kt) n();
}
function er(n) {
  return kt.add(n), rn ??= setInterval(Ja, 1e3), () => {
    kt.delete(n), kt.size || (clearInterval(rn), rn = void 0);
  };
}
const Gi = /* @__PURE__ */ new WeakMap(), ln = typeof IntersectionObserver > "u" ? void 0 : new IntersectionObserver(
  (n) => n.forEach(({ target: e, isIntersecting: t }) => Gi.get(e)?.(t)),
  { rootMargin: "100px" }
);
class Gt {
  constructor(e, t = () => !0) {
    this.host = e, this.wanted = t, this.visible = !ln, e.addController(this);
  }
  hostConnected() {
    Gi.set(this.host, (e) => {
      this.visible = e, e && this.host.requestUpdate();
    }), ln?.observe(this.host), this.end = er(() => this.visible && this.wanted() && this.host.requestUpdate());
  }
  hostDisconnected() {
    ln?.unobserve(this.host), this.end?.();
  }
}
const tr = 3e4, Vs = 86400, nr = 15 * 6e4, Ws = 20, sr = 12;
function ir(n, e) {
  const t = {};
  for (const s of Object.values(n.entities))
    s.device_id !== e || s.platform !== T || (s.translation_key === "download_total" && (t.download = s.entity_id), s.translation_key === "upload_total" && (t.upload = s.entity_id));
  return t;
}
function or(n, e, t, s, i) {
  const o = i * 6e4, a = Math.floor(t / o), r = Math.floor(s / o) - a + 1, l = Array.from({ length: r }, (c, h) => ({
    start: (a + h) * o,
    download: 0,
    upload: 0
  }));
  for (const [c, h] of [
    ["download", n],
    ["upload", e]
  ])
    for (const { start: d, change: p } of h) {
      const y = l[Math.floor(d / o) - a];
      y && (y[c] += Math.max(0, p ?? 0));
    }
  return l;
}
async function ar(n, e) {
  const t = (await Bt(n, e)).filter(({ transport: s, port: i }) => s === null && i === null);
  return new Map(t.map((s) => [s.target, s]));
}
class rr {
  constructor(e) {
    this.host = e, this.rules = /* @__PURE__ */ new Map(), this.problem = "", this.asked = 0, e.addController(this);
  }
  hostUpdate() {
    this.host.isConnected && this.host.hass && this.host.deviceId !== this.deviceId && this.begin(this.host.hass);
  }
  hostConnected() {
    this.host.requestUpdate();
  }
  hostDisconnected() {
    this.end(), this.deviceId = void 0;
  }
  /** Ask again now, such as after an order. */
  async refresh() {
    const { hass: e, deviceId: t } = this.host;
    if (!e || !t) return;
    const s = ++this.asked, i = [
      ["history", this.askHistory(e, t)]
    ];
    if (U(e)) {
      const r = { device_id: t }, l = e.callWS({ type: "hearthwall/device", ...r });
      i.push(
        ["details", l],
        ["rules", l.then(({ entry_id: c }) => ar(e, c))],
        [
          "usage",
          e.callWS({
            type: "hearthwall/usage",
            by: ["peer", "country"],
            since: Vs,
            limit: sr,
            ...r
          })
        ]
      );
    }
    const o = i.map(async ([r, l]) => {
      const c = await l;
      s === this.asked && (this[r] = c, this.host.requestUpdate());
    }), a = (await Promise.allSettled(o)).flatMap(
      (r) => r.status === "rejected" ? [X(r.reason)] : []
    );
    s === this.asked && (this.problem = a[0] ?? "", this.host.requestUpdate());
  }
  begin(e) {
    this.end(), this.deviceId = this.host.deviceId, this.details = this.usage = this.events = this.history = void 0, this.rules = /* @__PURE__ */ new Map(), this.deviceId && (this.refresh(), this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), tr), U(e) && (this.endEvents = Nt(
      e.connection,
      { type: "hearthwall/subscribe_events", device_id: this.deviceId, limit: Ws },
      { message: ({ events: t }) => this.receive(t) }
    )));
  }
  end() {
    this.asked++, clearInterval(this.timer), this.endEvents?.(), this.endEvents = void 0;
  }
  receive(e) {
    const t = new Map((this.events ?? []).map((s) => [s.seq, s]));
    for (const s of e) t.set(s.seq, s);
    this.events = [...t.values()].sort((s, i) => i.seq - s.seq).slice(0, Ws), this.host.requestUpdate();
  }
  async askHistory(e, t) {
    const { download: s, upload: i } = ir(e, t), o = [s, i].filter((p) => p !== void 0);
    if (!o.length || !e.config.components.includes("recorder")) return [];
    const a = Date.now(), r = a - Vs * 1e3, l = await e.callWS({
      type: "recorder/statistics_during_period",
      start_time: new Date(r).toISOString(),
      end_time: new Date(a).toISOString(),
      statistic_ids: o,
      period: "5minute",
      types: ["change"],
      units: { information: "B" }
    }), c = (p) => p === void 0 ? [] : l[p] ?? [], h = Math.min(...o.flatMap((p) => c(p).map(({ start: y }) => y)));
    this.began = Number.isFinite(h) && h > r + nr ? h : void 0;
    const d = or(c(s), c(i), r, a, 15);
    return d.some((p) => p.download + p.upload > 0) ? d : [];
  }
}
function Yi(n, e, t) {
  const { hass: s } = n, i = v(s);
  return ht(
    n,
    {
      title: i("device.unblock_ask"),
      text: i("device.unblock_text"),
      confirm: i("rules.end_confirm"),
      act: () => qi(s, e, t)
    },
    i("device.unblock_done")
  );
}
function lr(n, e, { id: t, seq: s, summary: i }) {
  const { hass: o } = n, a = v(o);
  return ht(
    n,
    {
      title: a("device.revoke_ask"),
      text: a("device.revoke_text", { summary: i }),
      confirm: a("device.revoke"),
      act: async () => (await Ia(o, e, t), () => Hi(o, e, s))
    },
    a("device.revoke_done")
  );
}
const Un = { ATTRIBUTE: 1, CHILD: 2 }, zn = (n) => (...e) => ({ _$litDirective$: n, values: e });
let Dn = class {
  constructor(e) {
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  _$AT(e, t, s) {
    this._$Ct = e, this._$AM = t, this._$Ci = s;
  }
  _$AS(e, t) {
    return this.update(e, t);
  }
  update(e, t) {
    return this.render(...t);
  }
};
const { I: cr } = No, Fs = (n) => n, Gs = () => document.createComment(""), Ge = (n, e, t) => {
  const s = n._$AA.parentNode, i = e === void 0 ? n._$AB : e._$AA;
  if (t === void 0) {
    const o = s.insertBefore(Gs(), i), a = s.insertBefore(Gs(), i);
    t = new cr(o, a, n, n.options);
  } else {
    const o = t._$AB.nextSibling, a = t._$AM, r = a !== n;
    if (r) {
      let l;
      t._$AQ?.(n), t._$AM = n, t._$AP !== void 0 && (l = n._$AU) !== a._$AU && t._$AP(l);
    }
    if (o !== i || r) {
      let l = t._$AA;
      for (; l !== o; ) {
        const c = Fs(l).nextSibling;
        Fs(s).insertBefore(l, i), l = c;
      }
    }
  }
  return t;
}, me = (n, e, t = n) => (n._$AI(e, t), n), dr = {}, hr = (n, e = dr) => n._$AH = e, ur = (n) => n._$AH, cn = (n) => {
  n._$AR(), n._$AA.remove();
};
const Ys = (n, e, t) => {
  const s = /* @__PURE__ */ new Map();
  for (let i = e; i <= t; i++) s.set(n[i], i);
  return s;
}, B = zn(class extends Dn {
  constructor(n) {
    if (super(n), n.type !== Un.CHILD) throw Error("repeat() can only be used in text expressions");
  }
  dt(n, e, t) {
    let s;
    t === void 0 ? t = e : e !== void 0 && (s = e);
    const i = [], o = [];
    let a = 0;
    for (const r of n) i[a] = s ? s(r, a) : a, o[a] = t(r, a), a++;
    return { values: o, keys: i };
  }
  render(n, e, t) {
    return this.dt(n, e, t).values;
  }
  update(n, [e, t, s]) {
    const i = ur(n), { values: o, keys: a } = this.dt(e, t, s);
    if (!Array.isArray(i)) return this.ut = a, o;
    const r = this.ut ??= [], l = [];
    let c, h, d = 0, p = i.length - 1, y = 0, g = o.length - 1;
    for (; d <= p && y <= g; ) if (i[d] === null) d++;
    else if (i[p] === null) p--;
    else if (r[d] === a[y]) l[y] = me(i[d], o[y]), d++, y++;
    else if (r[p] === a[g]) l[g] = me(i[p], o[g]), p--, g--;
    else if (r[d] === a[g]) l[g] = me(i[d], o[g]), Ge(n, l[g + 1], i[d]), d++, g--;
    else if (r[p] === a[y]) l[y] = me(i[p], o[y]), Ge(n, i[d], i[p]), p--, y++;
    else if (c === void 0 && (c = Ys(a, y, g), h = Ys(r, d, p)), c.has(r[d])) if (c.has(r[p])) {
      const $ = h.get(a[y]), A = $ !== void 0 ? i[$] : null;
      if (A === null) {
        const H = Ge(n, i[d]);
        me(H, o[y]), l[y] = H;
      } else l[y] = me(A, o[y]), Ge(n, i[d], A), i[$] = null;
      y++;
    } else cn(i[p]), p--;
    else cn(i[d]), d++;
    for (; y <= g; ) {
      const $ = Ge(n, l[g + 1]);
      me($, o[y]), l[y++] = $;
    }
    for (; d <= p; ) {
      const $ = i[d++];
      $ !== null && cn($);
    }
    return this.ut = a, hr(n, l), Q;
  }
});
var pr = "M11,15H13V17H11V15M11,7H13V13H11V7M12,2C6.47,2 2,6.5 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2M12,20A8,8 0 0,1 4,12A8,8 0 0,1 12,4A8,8 0 0,1 20,12A8,8 0 0,1 12,20Z", mr = "M13 13H11V7H13M11 15H13V17H11M15.73 3H8.27L3 8.27V15.73L8.27 21H15.73L21 15.73V8.27L15.73 3Z", fr = "M12,2L1,21H23M12,6L19.53,19H4.47M11,10V14H13V10M11,16V18H13V16", vr = "M22 5H4V2H2V22H22V20H4V9C8.09 9 10.13 11 12.29 13.21S17.09 18 22 18V16C17.91 16 15.87 14 13.71 11.79S8.91 7 4 7H22Z", gr = "M7.41,8.58L12,13.17L16.59,8.58L18,10L12,16L6,10L7.41,8.58Z", yr = "M11,9H13V7H11M12,20C7.59,20 4,16.41 4,12C4,7.59 7.59,4 12,4C16.41,4 20,7.59 20,12C20,16.41 16.41,20 12,20M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2M11,17H13V11H11V17Z", wr = "M12,2A7,7 0 0,1 19,9C19,11.38 17.81,13.47 16,14.74V17A1,1 0 0,1 15,18H9A1,1 0 0,1 8,17V14.74C6.19,13.47 5,11.38 5,9A7,7 0 0,1 12,2M9,21V20H15V21A1,1 0 0,1 14,22H10A1,1 0 0,1 9,21M12,4A5,5 0 0,0 7,9C7,11.05 8.23,12.81 10,13.58V16H14V13.58C15.77,12.81 17,11.05 17,9A5,5 0 0,0 12,4Z", br = "M12,1L3,5V11C3,16.55 6.84,21.74 12,23C17.16,21.74 21,16.55 21,11V5M11,7H13V13H11M11,15H13V17H11", $r = "M21,11C21,16.55 17.16,21.74 12,23C6.84,21.74 3,16.55 3,11V5L12,1L21,5V11M12,21C15.75,20 19,15.54 19,11.22V6.3L12,3.18L5,6.3V11.22C5,15.54 8.25,20 12,21M10,17L6,13L7.41,11.59L10,14.17L16.59,7.58L18,9", xr = "M4,3H20A2,2 0 0,1 22,5V20A2,2 0 0,1 20,22H4A2,2 0 0,1 2,20V5A2,2 0 0,1 4,3M4,7V10H8V7H4M10,7V10H14V7H10M20,10V7H16V10H20M4,12V15H8V12H4M4,20H8V17H4V20M10,12V15H14V12H10M10,20H14V17H10V20M20,20V17H16V20H20M20,12H16V15H20V12Z";
const $e = zn(class extends Dn {
  constructor(n) {
    if (super(n), n.type !== Un.ATTRIBUTE || n.name !== "class" || n.strings?.length > 2) throw Error("`classMap()` can only be used in the `class` attribute and must be the only part in the attribute.");
  }
  render(n) {
    return " " + Object.keys(n).filter((e) => n[e]).join(" ") + " ";
  }
  update(n, [e]) {
    if (this.st === void 0) {
      this.st = /* @__PURE__ */ new Set(), n.strings !== void 0 && (this.nt = new Set(n.strings.join(" ").split(/\s/).filter((s) => s !== "")));
      for (const s in e) e[s] && !this.nt?.has(s) && this.st.add(s);
      return this.render(e);
    }
    const t = n.element.classList;
    for (const s of this.st) s in e || (t.remove(s), this.st.delete(s));
    for (const s in e) {
      const i = !!e[s];
      i === this.st.has(s) || this.nt?.has(s) || (i ? (t.add(s), this.st.add(s)) : (t.remove(s), this.st.delete(s)));
    }
    return Q;
  }
}), Ks = {
  info: yr,
  low: pr,
  medium: fr,
  high: mr,
  critical: br
}, Yt = (n) => u`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${n}></path></svg>`, Ki = (n) => Yt(Ks[n] ?? Ks.info), _r = /^T\d{4}(\.\d{3})?$/;
function kr(n, e) {
  const { hass: t, asked: s } = e, i = v(t), o = ut(n.kind), a = s && "event" in s ? s : void 0, r = a?.event ?? n, l = !Na.has(n.kind) && (a?.program != null || n.mac === null && n.process !== null);
  return u`
    <p>${i(o.meaning)} ${l ? i("events.of_program") : m}</p>
    <p class="advice">
      ${Yt(wr)}<span>${i(l ? "events.of_program.advice" : o.advice)}</span>
    </p>
    ${Ar(n, e)}
    <h4>${i("events.evidence")}</h4>
    ${Sr(t, r, Ba(t, r))}
    ${s === void 0 ? u`<p class="secondary" role="status">${i("common.busy")}</p>` : m}
    ${s && "problem" in s ? u`<p class="secondary" role="alert">
          ${i("events.unanswered", { reason: s.problem })}
          <button class="quiet" @click=${e.onRetry}>${i("events.again")}</button>
        </p>` : m}
  `;
}
function Ar(n, e) {
  const { hass: t, store: s, asked: i, accepted: o, onOrder: a } = e;
  if (!i || !("event" in i)) return m;
  const r = v(t);
  if (s?.isReadOnly(n.entry_id)) return u`<p class="secondary">${r("orders.read_only")}</p>`;
  const { accept: l, peer: c, culprit: h, program: d } = Ga(i), p = h !== null && Nn(s, n, h)?.row.quarantined, y = h === null ? "" : Ui(s, n, h), g = [
    l ? u`<button class="quiet" ?disabled=${o} @click=${() => a("accept", i)}>
          ${r(o ? "events.is_accepted" : "events.accept")}
        </button>` : m,
    c === null ? m : u`<button class="quiet cut" title=${O(c)} @click=${() => a("block", i)}>
          ${r("events.block.peer", { peer: O(c) })}
        </button>`,
    h === null ? m : u`<button class="quiet cut" title=${y} @click=${() => a("quarantine", i)}>
          ${r(p ? "events.release" : "events.quarantine", { name: y })}
        </button>`,
    d === null ? m : u`<button class="quiet cut" title=${O(d)} @click=${() => a("stop", i)}>
          ${r("events.stop", { name: Ne(n) })}
        </button>`
  ];
  return u`
    ${i.has_ended && d === null ? u`<p class="secondary">${r("events.ended")}</p>` : m}
    ${g.every(($) => $ === m) ? m : u`<div class="orders">${g}</div>`}
  `;
}
function Sr(n, e, t) {
  const s = v(n), { technique: i } = e, o = i && _r.test(i) ? u`<a
          href=${`https://attack.mitre.org/techniques/${i.replace(".", "/")}/`}
          target="_blank"
          rel="noreferrer noopener"
          >${i}</a
        >` : m, a = [O(e.peer_name), O(e.peer_address)].filter(Boolean), r = [
    [s("events.why"), t.why],
    [s("events.program"), O(e.process)],
    [s("events.peer"), [...new Set(a)].join(" · ")],
    [s("events.subject"), O(e.kind === "forbidden_protocol" ? dt(e.subject) : e.subject)],
    ...t.measured,
    [s("events.detector"), t.detector],
    [s("events.technique"), o],
    [s("events.gateway"), O(e.gateway)],
    [
      s("events.last"),
      e.count > 1 && e.last_time ? F(n, e.last_time) : ""
    ]
  ];
  return u`
    <dl>
      ${r.filter(([, l]) => l !== "" && l !== m).map(
    ([l, c]) => u`<div>
              <dt>${l}</dt>
              <dd>${c}</dd>
            </div>`
  )}
    </dl>
    ${Mr(n, t)} ${Or(n, t)}
  `;
}
function Mr(n, { flows: e }) {
  if (!e.length) return m;
  const t = v(n), s = (i) => i === null ? "" : C(n, i);
  return u`<table>
    <caption>
      ${t("events.flows")}
    </caption>
    <thead>
      <tr>
        <th scope="col">${t("events.peer")}</th>
        <th scope="col">${t("events.protocol")}</th>
        <th scope="col" class="number">${t("map.upload")}</th>
        <th scope="col" class="number">${t("map.download")}</th>
      </tr>
    </thead>
    <tbody>
      ${e.map(
    (i) => u`<tr>
            <td class="mono">${i.peer}</td>
            <td>${i.what}</td>
            <td class="number">${s(i.upload)}</td>
            <td class="number">${s(i.download)}</td>
          </tr>`
  )}
    </tbody>
  </table>`;
}
function Or(n, { processes: e, files: t }) {
  if (!e.length && !t.length) return m;
  const s = v(n);
  return u`
    ${e.length ? u`<h5>${s("events.processes")}</h5>
          <ol class="chain">
            ${e.map(
    (i) => u`<li>
                  <span class="mono">${i.program}</span>
                  ${i.pid === null ? m : u`<span class="secondary">${i.pid}</span>`}
                  ${i.commandLine ? u`<div class="mono secondary">${i.commandLine}</div>` : m}
                </li>`
  )}
          </ol>` : m}
    ${t.length ? u`<h5>${s("events.files")}</h5>
          <ul class="chain">
            ${t.map((i) => u`<li class="mono">${i.path}</li>`)}
          </ul>` : m}
  `;
}
function Qi(n, e) {
  const { hass: t, open: s, when: i, fresh: o, onToggle: a } = e, r = v(t), l = Le.includes(n.severity) ? n.severity : "info", c = O(n.peer_name ?? n.peer_address), h = `details-${N(n)}`;
  return u`<li class=${$e({ event: !0, open: s, fresh: o, [l]: !0 })}>
    <button class="line" aria-expanded=${s} aria-controls=${h} data-event=${N(n)} @click=${a}>
      <span class="badge">${Ki(l)}</span>
      <span class="words">
        <span class="first">
          <span class="kind cut">${r(ut(n.kind).name)}</span>
          <span class="severity">${r(`severity.${l}`)}</span>
          ${n.count > 1 ? u`<span class="severity">${r("events.times", { count: L(t, n.count) })}</span>` : m}
          <time datetime=${new Date(n.time * 1e3).toISOString()} title=${F(t, n.time)}>${i}</time>
        </span>
        <span class="second">
          <span class="who">${Ne(n)}</span>${c ? u`<span class="peer"> → ${c}</span>` : m}
        </span>
        <span class="summary">${O(n.summary)}</span>
      </span>
      <span class="chevron">${Yt(gr)}</span>
    </button>
    <div id=${h} class="details" ?hidden=${!s}>${s ? kr(n, e) : m}</div>
  </li>`;
}
const Er = "Quarantined from Home Assistant", Cr = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, Tr = /^(exe|dir|pid):(.*)$/s;
function Zi(n, { target: e, mode: t, transport: s, port: i }) {
  const o = i === null ? s ?? "" : `${s ?? ""}/${i}`, a = t === "isolate" && !Cr.test(e) ? "rules.blocked" : _e(`mode.${t}`) ?? "mode.other";
  return [v(n)(a), o].filter(Boolean).join(" ");
}
function Ir(n, { reason: e }) {
  const t = v(n);
  if (e === Er) return t("rules.reason.quarantine");
  const [s, ...i] = e.split(": "), o = i.length ? _e(`kind.${s}`) : void 0;
  return o ? `${t(o)}: ${i.join(": ")}` : e;
}
function Xi(n, { expires: e, confirm_by: t }, s) {
  const i = v(n);
  return t !== null ? i("rules.unconfirmed", { span: nt(n, t - s) }) : e === null ? void 0 : i("common.left", { span: nt(n, e - s) });
}
const Ji = (n, e) => [
  v(n)("device.blocked_since", { since: F(n, e.created) }),
  Ir(n, e)
].filter(Boolean).join(" · ");
function eo(n, e, t) {
  const s = v(n);
  if (!e.packets) return s("device.blocked_nothing");
  const i = s(e.mode === "audit" ? "rules.audited" : "device.blocked_packets", {
    packets: L(n, e.packets),
    bytes: C(n, e.bytes)
  });
  return e.last_hit === null ? i : `${i} · ${s("rules.last_hit", { ago: tt(n, e.last_hit, t) })}`;
}
function Pr(n, { target: e }, t) {
  for (const { row: o } of t)
    if (o.mac === e || o.addresses.includes(e)) return { name: o.name, more: e };
  const [, s, i] = Tr.exec(e) ?? [];
  return s === "pid" ? { name: v(n)("rules.process", { pid: i }), more: "" } : i ? { name: i.split("/").filter(Boolean).at(-1) ?? i, more: i } : { name: e, more: "" };
}
const Lr = 5, qr = "-";
function Hr(n, e, t = Date.now() / 1e3) {
  const s = v(n), i = (y) => new Intl.ListFormat(n.locale.language, { type: "conjunction" }).format(y), o = (y, g = ($) => $.name) => i(y.slice(0, Lr).map(g)), a = e.domains.filter(({ name: y }) => y !== qr), r = [
    e.frozen ? s("profile.frozen", { since: F(n, e.since) }) : e.learning_until > t ? s("profile.learning", { until: F(n, e.learning_until) }) : s("profile.learnt", {
      since: F(n, e.since),
      sure: Ot(n, Math.min(1, Math.max(0, e.sure)))
    })
  ];
  a.length && r.push(s("profile.domains", { names: o(a) })), e.countries.length && r.push(s("profile.countries", { names: o(e.countries, ({ name: y }) => Hn(n, y)) })), e.networks.length && r.push(s("profile.networks", { names: o(e.networks) }));
  const { applications: l, ports: c } = e, h = l.length ? o(l, ({ name: y }) => dt(y)) : o(c);
  h && r.push(s("profile.speaks", { names: h }));
  const [d, p] = [e.download_a_day, e.upload_a_day];
  return d && p && r.push(s("profile.day", { download: C(n, d.usual), upload: C(n, p.usual) })), r;
}
const pt = (n, e, t = "") => u`<section id=${t || m}>
    <h3>${n}</h3>
    ${e}
  </section>`, Bn = (n) => u`<p class="secondary">${n}</p>`, Se = (n) => n.download_bytes + n.upload_bytes, Rr = /^(ff[0-9a-f]{2}:|fe80:|(22[4-9]|23\d|255|169\.254)\.[\d.]+$)/i, jr = /^((10|127|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$|f[cd][0-9a-f]{2}:|::1$)|(^|\.)(localhost|local|lan|home|internal|home\.arpa)\.?$/i;
function Qs(n) {
  if (!/^[0-9a-f:]+$/i.test(n) || !n.includes(":")) return;
  const [e = "", t] = n.split("::"), s = e ? e.split(":") : [], i = t ? t.split(":") : [], o = t === void 0 ? 0 : Math.max(0, 8 - s.length - i.length);
  return [...s, ...Array(o).fill("0"), ...i].slice(0, 4).map((a) => parseInt(a, 16)).join(":");
}
function Nr(n, e) {
  if (jr.test(n) || e.has(n)) return !0;
  const t = Qs(n);
  return t !== void 0 && [...e].some((s) => Qs(s) === t);
}
function Ur(n) {
  const e = ({ peer: i }) => Rr.test(i ?? ""), t = n.filter(e), s = (i) => t.reduce((o, a) => o + a[i], 0);
  return {
    peers: n.filter((i) => !e(i)),
    everybody: t.length ? { peer: null, upload_bytes: s("upload_bytes"), download_bytes: s("download_bytes"), flows: s("flows") } : void 0
  };
}
function zr(n, e, { rules: t, home: s, block: i, release: o }) {
  const a = v(n), r = Math.max(1, Se(e)), { peers: l, everybody: c } = Ur(e.rows), h = r - e.rows.reduce((g, $) => g + Se($), 0), d = (g) => u`<div class="bar"><div style="width: ${(g * 100).toFixed(1)}%"></div></div>`, p = (g) => {
    const $ = g.peer ?? a("common.unknown"), A = t.get($);
    return u`<li>
      <div class="line">
        <span class="cut grow" title=${$}>${$}</span>
        <span class="secondary">${g.country ? Hn(n, g.country) : m}</span>
        <span class="figure" title="↓ ${C(n, g.download_bytes)} ↑ ${C(n, g.upload_bytes)}">
          ${C(n, Se(g))}
        </span>
        <span class="figure share secondary">${Ot(n, Se(g) / r)}</span>
        <span>
          ${i && o && g.peer && (A || !Nr(g.peer, s)) ? u`<button
                class="quiet"
                aria-label=${a(A ? "device.release_peer" : "events.block.peer", { peer: $ })}
                @click=${() => A ? o(A) : i($)}
              >
                ${a(A ? "device.unblock" : "events.block")}
              </button>` : m}
        </span>
      </div>
      ${d(Se(g) / r)}
    </li>`;
  }, y = (g, $) => u`<li>
    <div class="line">
      <span class="grow secondary">${g}</span>
      <span></span>
      <span class="figure">${C(n, $)}</span>
      <span class="figure share secondary">${Ot(n, $ / r)}</span>
      <span></span>
    </div>
    ${d($ / r)}
  </li>`;
  return pt(
    a("device.peers"),
    e.rows.length ? u`<ul class="peers">
          ${B(l, (g) => `${g.peer} ${g.country}`, p)}
          ${c ? y(a("device.peers_everybody"), Se(c)) : m}
          ${h / r >= 5e-3 ? y(a("device.peers_rest"), h) : m}
        </ul>` : Bn(a("device.peers_none"))
  );
}
function Dr(n, e, t) {
  const s = v(n);
  return pt(
    s("device.events"),
    e.length ? u`<ul class="events">
          ${B(e, N, (i) => Qi(i, t(i)))}
        </ul>` : Bn(s("device.events_none")),
    "events"
  );
}
function Br(n, e, t) {
  const s = v(n), i = Date.now() / 1e3, o = (a) => {
    const r = Xi(n, a, i);
    return u`<li class="rule">
      <div class="grow">
        <div class="line">
          <b class="cut grow">${Zi(n, a)}</b>
          ${r === void 0 ? m : u`<span class="figure" role="timer">${r}</span>`}
          ${t ? u`<button class="quiet" @click=${() => t(a)}>${s("rules.end")}</button>` : m}
        </div>
        <div class="secondary wrap">${Ji(n, a)}</div>
        <div class="secondary wrap">${eo(n, a, i)}</div>
      </div>
    </li>`;
  };
  return pt(
    s("device.blocks"),
    e.length ? u`<ul>${B(e, ({ id: a }) => a, o)}</ul>` : Bn(s("device.blocks_none"))
  );
}
function Vr(n, e) {
  const t = v(n);
  return pt(
    t("device.profile"),
    Hr(n, e).map((s) => u`<p class="wrap">${s}</p>`)
  );
}
function Wr(n, e, t) {
  if (!e.length) return m;
  const s = v(n);
  return pt(
    s("device.accepted"),
    u`<ul>
      ${B(
      e,
      ({ id: i }) => i,
      (i) => u`<li>
          <div class="line">
            <span class="grow wrap secondary">${i.summary}</span>
            ${t ? u`<button class="quiet" @click=${() => t(i)}>${s("device.revoke")}</button>` : m}
          </div>
        </li>`
    )}
    </ul>`
  );
}
const Fr = q`
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
var Gr = Object.defineProperty, Ue = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && Gr(e, t, i), i;
};
const Jn = class Jn extends I {
  constructor() {
    super(), this.live = new Re(this), this.data = new rr(this), this.opened = new Bi(this, (e) => this.asking(e)), new Gt(this);
  }
  render() {
    const { hass: e, deviceId: t } = this;
    if (!e) return m;
    const s = v(e);
    if (!t) return u`<div class="message">${s("device.choose")}</div>`;
    const i = Wt(e, this.live.store), o = this.live.store?.device(t);
    return i || !o ? i ?? u`<div class="message" role="status">${s("device.unknown")}</div>` : u`
      ${this.renderHead(e, o)} ${Ft(e, this.live.store, o.entryId)}
      ${this.isReadOnly(o) ? u`<div class="notice" role="status">${s("orders.read_only")}</div>` : m}
      ${this.data.problem ? u`<div class="notice" role="status">${this.data.problem}</div>` : m}
      <div class="sections">
        ${U(e) ? this.renderAll(e, o) : u`${this.renderTraffic(e, o)}
              <p class="secondary">${s("common.admin")}</p>`}
      </div>
      <hearthwall-notice .hass=${e}></hearthwall-notice>
      <hearthwall-confirm .hass=${e}></hearthwall-confirm>
    `;
  }
  isReadOnly({ entryId: e }) {
    return this.live.store?.isReadOnly(e) ?? !1;
  }
  renderHead(e, t) {
    const s = v(e), { row: i } = t, { key: o, tone: a, expires: r } = Fi(i), l = this.live.store?.gateways.get(t.entryId)?.connected ?? !1, c = Date.now() / 1e3;
    return u`<header>
      <div class="grow">
        <h2 class="cut" title=${i.name}>${this.heading ?? i.name}</h2>
        <div class="secondary wrap">
          <span class="chip ${a}">${s(o)}</span>
          ${r === null ? m : u`<span role="timer">${s("common.left", { span: nt(e, r - c) })}</span>`}
          ${i.online ? m : u`<span>${s("devices.seen", { ago: tt(e, i.last_seen, c) })}</span>`}
        </div>
      </div>
      ${this.isReadOnly(t) ? m : u`<button
            class=${i.quarantined ? "main" : "danger"}
            ?disabled=${!l}
            title=${l ? "" : s("quarantine.impossible")}
            @click=${() => Vt(this.asking(e), t)}
          >
            ${s(i.quarantined ? "quarantine.release" : "quarantine.confirm")}
          </button>`}
    </header>`;
  }
  renderTraffic(e, t) {
    const s = v(e), { row: i, samples: o } = t, a = (l, c) => u`<div class="tile">
      <div class="secondary"><span class=${l === "download" ? "down" : "up"} aria-hidden="true">${c}</span> ${s(`common.${l}`)}</div>
      <div class="large">${et(e, i[`${l}_rate`])}</div>
      <div class="secondary">
        ${s("device.moved", {
      today: C(e, i[`${l}_today`]),
      all: C(e, i[`${l}_bytes`])
    })}
      </div>
    </div>`, r = [
      i.vendor,
      i.mac,
      i.randomised ? s("devices.random") : null,
      ...i.addresses.slice(0, 4),
      s("device.first_seen", { since: F(e, i.first_seen) })
    ].filter((l) => l !== null);
    return u`<section class="traffic">
      <div class="secondary wrap">${r.join(" · ")}</div>
      <div class="tiles">${a("download", "↓")}${a("upload", "↑")}</div>
      <h3>${s("device.minute")}</h3>
      <hearthwall-sparkline .samples=${o} .now=${Date.now() / 1e3}></hearthwall-sparkline>
      <h3>${s("device.history")}</h3>
      ${this.data.history?.length ? u`<hearthwall-history
            .hass=${e}
            .spans=${this.data.history}
            .began=${this.data.began}
          ></hearthwall-history>` : u`<p class="secondary">${s(this.data.history ? "device.history_none" : "common.loading")}</p>`}
    </section>`;
  }
  renderAll(e, t) {
    const { details: s, usage: i, events: o } = this.data, { entryId: a } = t, r = () => this.asking(e), l = this.isReadOnly(t), c = l ? void 0 : (p) => void Yi(r(), a, p), h = l ? void 0 : (p) => void zi(r(), a, p), d = l ? void 0 : (p) => void lr(r(), a, p);
    return u`
      <div>
        ${this.renderTraffic(e, t)}
        ${s ? Br(e, s.blocks, c) : m}
        ${s?.profile ? Vr(e, s.profile) : m}
      </div>
      <div>
        ${i ? zr(e, i, {
      rules: this.data.rules,
      home: this.live.store?.addresses(a) ?? /* @__PURE__ */ new Set(),
      block: h,
      release: c
    }) : m}
        ${o ? this.renderEvents(e, o) : m}
        ${s ? Wr(e, s.accepted, d) : m}
      </div>
    `;
  }
  renderEvents(e, t) {
    const s = new Set(this.data.details?.accepted.map(({ seq: i }) => i));
    return Dr(
      e,
      t,
      (i) => this.opened.viewOf(e, i, {
        when: tt(e, i.last_time ?? i.time),
        accepted: s.has(i.seq)
      })
    );
  }
  asking(e) {
    const { confirm: t, notice: s, live: i } = this;
    return { hass: e, confirm: t, notice: s, store: i.store, after: () => this.data.refresh() };
  }
  updated() {
    const e = this.deviceId === void 0 ? void 0 : this.live.store?.device(this.deviceId)?.row.rule?.id ?? null;
    this.rule !== void 0 && e !== void 0 && e !== this.rule && this.data.refresh(), this.rule = e;
    const t = this.at && this.renderRoot.querySelector(`#${this.at}`);
    t && this.data.usage && this.data.details && (this.at = void 0, t.scrollIntoView({ block: "start" }));
  }
};
Jn.styles = [J, W, Fr, Si];
let Z = Jn;
Ue([
  M({ attribute: !1 })
], Z.prototype, "hass");
Ue([
  M({ attribute: !1 })
], Z.prototype, "deviceId");
Ue([
  M({ attribute: !1 })
], Z.prototype, "heading");
Ue([
  M({ attribute: !1 })
], Z.prototype, "at");
Ue([
  j("hearthwall-confirm")
], Z.prototype, "confirm");
Ue([
  j("hearthwall-notice")
], Z.prototype, "notice");
const Yr = {
  "hearthwall-device-card": Je,
  "hearthwall-device-view": Z,
  "hearthwall-device-dialog": we,
  "hearthwall-history": be
}, dn = /* @__PURE__ */ new WeakMap();
function Kr({ connection: n, callWS: e }) {
  let t = dn.get(n);
  return t || (t = e({ type: "config/label_registry/list" }), dn.set(n, t), t.catch(() => dn.delete(n))), t;
}
function Vn(n) {
  history.pushState(null, "", n), window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: !1 } }));
}
const Qr = (n, e) => ({
  ...n,
  online: n.online || e.online,
  quarantined: n.quarantined || e.quarantined,
  rule: n.rule ?? e.rule,
  upload_rate: Math.max(n.upload_rate, e.upload_rate),
  download_rate: Math.max(n.download_rate, e.download_rate)
});
function to(n) {
  const e = /* @__PURE__ */ new Map();
  for (const { row: t } of n) {
    const s = e.get(t.mac);
    e.set(t.mac, s ? Qr(s, t) : t);
  }
  return [...e.values()];
}
const Tt = ["today", "now", "name", "status", "last_seen"], Zr = ["all", "online", "restricted"], Xr = (n, e) => e.device_id === null ? void 0 : n.devices[e.device_id], Jr = {
  all: () => !0,
  online: (n) => n.online,
  restricted: (n) => n.quarantined || n.rule !== null
};
function Zs(n, e, t) {
  const { search: s, shown: i, areas: o, labels: a } = t;
  if (!Jr[i](e)) return !1;
  const r = Xr(n, e);
  if (o.length && !o.includes(r?.area_id ?? "") || a.length && !a.some((c) => r?.labels?.includes(c))) return !1;
  if (!s.trim()) return !0;
  const l = [e.name, e.mac, e.vendor, e.top_peer, ...e.addresses].join(" ").toLocaleLowerCase();
  return s.toLocaleLowerCase().split(/\s+/).every((c) => l.includes(c));
}
const Xs = (n) => n.upload_today + n.download_today, Js = (n) => n.upload_rate + n.download_rate;
function el(n, e, t) {
  const s = ct(n), i = {
    today: (o, a) => Xs(a) - Xs(o),
    now: (o, a) => Js(a) - Js(o),
    name: () => 0,
    status: (o, a) => Bs(o) - Bs(a),
    last_seen: (o, a) => a.last_seen - o.last_seen
  };
  return [...e].sort(
    ({ row: o }, { row: a }) => i[t](o, a) || s(o.name, a.name) || (o.mac < a.mac ? -1 : 1)
  );
}
class tl {
  constructor(e = 5) {
    this.patience = e, this.ranks = /* @__PURE__ */ new Map(), this.since = -1 / 0;
  }
  /** Return the devices in the order; `held` while somebody is at the list. */
  of(e, t, s, i, o) {
    const a = t.every(({ key: l }) => this.ranks.has(l));
    return this.sort === s && a && (o || i - this.since < this.patience) || (this.ranks = new Map(el(e, t, s).map(({ key: l }, c) => [l, c])), this.since = i, this.sort = s), [...t].sort((l, c) => (this.ranks.get(l.key) ?? 0) - (this.ranks.get(c.key) ?? 0));
  }
}
const At = (n) => typeof n == "string", nl = (n) => typeof n == "boolean", ei = (n) => [n].flat().every(At), sl = {
  title: [At, "no text"],
  entry_id: [At, "no text"],
  sort: [(n) => Tt.includes(n), `none of ${Tt.join(", ")}`],
  area: [ei, "no area's id, nor a list of them"],
  label: [ei, "no label's id, nor a list of them"],
  navigation_path: [At, "no text"],
  toolbar: [nl, "neither true nor false"]
};
function il(n) {
  if (typeof n != "object" || n === null) throw new Error("The card has no configuration");
  for (const [e, [t, s]] of Object.entries(sl)) {
    const i = n[e] ?? void 0;
    if (i !== void 0 && !t(i)) throw new Error(`${e} is ${s}`);
  }
  return n;
}
function ol() {
  const n = v(void 0);
  return { schema: [
    { name: "title", selector: { text: {} } },
    {
      name: "sort",
      default: "today",
      selector: {
        select: { mode: "dropdown", options: Tt.map((t) => ({ value: t, label: n(`devices.sort.${t}`) })) }
      }
    },
    { name: "area", selector: { area: { multiple: !0 } } },
    { name: "label", selector: { label: { multiple: !0 } } },
    { name: "toolbar", default: !0, selector: { boolean: {} } },
    { name: "entry_id", selector: { config_entry: { integration: T } } }
  ], ...rt() };
}
const bt = (n, e, t, s) => u`<label class="field">
    <span>${n}</span>
    <select aria-label=${n} @change=${(i) => s(i.target.value)}>
      ${e.map((i) => u`<option value=${i.value} ?selected=${i.value === t}>${i.label}</option>`)}
    </select>
  </label>`;
function al(n, e, t, s, i) {
  const o = v(n), a = ct(n), r = (l, c) => [
    { value: "", label: c },
    ...l.sort((h, d) => a(h.label, d.label))
  ];
  return u`<div class="toolbar" role="search">
    <label class="field search"><span>${o("devices.search_label")}</span><input
      type="search"
      autocomplete="off"
      spellcheck="false"
      maxlength="100"
      placeholder=${o("devices.search")}
      aria-label=${o("devices.search")}
      .value=${e.search}
      @input=${(l) => i({ search: l.target.value })}
    /></label>
    ${bt(
    o("devices.show"),
    Zr.map((l) => ({ value: l, label: o(`devices.show.${l}`) })),
    e.shown,
    (l) => i({ shown: l })
  )}
    ${bt(
    o("devices.sort"),
    Tt.map((l) => ({ value: l, label: o(`devices.sort.${l}`) })),
    e.sort,
    (l) => i({ sort: l })
  )}
    ${t.size ? bt(
    o("devices.area"),
    r(
      [...t].map((l) => ({ value: l, label: n.areas[l]?.name ?? l })),
      o("devices.areas_all")
    ),
    e.areas[0] ?? "",
    (l) => i({ areas: l ? [l] : [] })
  ) : m}
    ${s.length ? bt(
    o("devices.label"),
    r(
      s.map(({ label_id: l, name: c }) => ({ value: l, label: c })),
      o("devices.labels_all")
    ),
    e.labels[0] ?? "",
    (l) => i({ labels: l ? [l] : [] })
  ) : m}
  </div>`;
}
var rl = Object.defineProperty, Y = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && rl(e, t, i), i;
};
const ti = 500, ll = 4, hn = (n) => [n ?? []].flat(), es = class es extends I {
  constructor() {
    super(...arguments), this.settings = { search: "", shown: "all", areas: [], labels: [], sort: "today" }, this.labels = [], this.whole = !1, this.live = new Re(this), this.alerted = new Oi(this), this.order = new tl(), this.asked = !1, this.onOpen = ({ detail: e }) => {
      const { device_id: t } = e.row, s = this.config?.navigation_path;
      t && s ? Vn(s.replace("{device_id}", encodeURIComponent(t))) : t && this.dialog.open(t);
    }, this.onEvents = ({ detail: e }) => {
      e.row.device_id && this.dialog.open(e.row.device_id, "events");
    }, this.onQuarantine = ({ detail: e }) => {
      const { hass: t, confirm: s, notice: i } = this;
      t && Vt({ hass: t, confirm: s, notice: i }, e);
    }, this.onClear = () => {
      this.settings = { ...this.settings, search: "", shown: "all", areas: [], labels: [] };
    };
  }
  setConfig(e) {
    this.config = il(e), this.settings = { ...this.settings, sort: e.sort ?? "today" };
  }
  static getStubConfig() {
    return {};
  }
  static getConfigForm() {
    return ol();
  }
  getCardSize() {
    return 7;
  }
  getGridOptions() {
    return { columns: "full", rows: "auto", min_columns: 6, min_rows: 3 };
  }
  /** Return the devices that the card is about, whatever the user searches for. */
  mine(e) {
    const { entry_id: t, area: s, label: i } = this.config ?? {}, o = { search: "", shown: "all", areas: hn(s), labels: hn(i) };
    return [...this.live.store?.devices() ?? []].filter(
      (a) => (!t || a.entryId === t) && Zs(e, a.row, o)
    );
  }
  willUpdate(e) {
    e.has("hass") && this.hass && !this.asked && (this.asked = !0, Kr(this.hass).then(
      (t) => this.labels = t,
      () => this.asked = !1
    ));
  }
  render() {
    const { hass: e, config: t } = this;
    if (!e || !t) return m;
    const s = v(e), i = Wt(e, this.live.store), o = i ? [] : this.mine(e), a = this.order.of(
      e,
      o.filter(({ row: r }) => Zs(e, r, this.settings)),
      this.settings.sort,
      Date.now() / 1e3,
      this.rows?.matches(":hover, :focus-within") ?? !1
    );
    return u`
      <ha-card>
        <div class="head">
          <h2 class="card-title">${t.title ?? s("devices.title")}</h2>
          ${i ? m : this.renderSummary(e, o)}
        </div>
        ${i ?? this.renderList(e, t, o, a)}
        <hearthwall-notice .hass=${e}></hearthwall-notice>
        <hearthwall-confirm .hass=${e}></hearthwall-confirm>
        <hearthwall-device-dialog .hass=${e}></hearthwall-device-dialog>
      </ha-card>
    `;
  }
  renderSummary(e, t) {
    const s = v(e), i = to(t), o = (l) => i.filter(l).length, a = (l) => i.reduce((c, h) => c + h[l], 0), r = o((l) => l.quarantined || l.rule !== null);
    return u`<div class="summary secondary">
      <span>
        ${s("devices.summary", {
      online: L(e, o((l) => l.online)),
      all: L(e, i.length)
    })}${r ? u` · <b>${s("devices.summary_restricted", { count: L(e, r) })}</b>` : m}
      </span>
      <span class="rates">
        <span class="down" role="img" aria-label=${s("common.download")}>↓</span> ${et(e, a("download_rate"))}
        <span class="up" role="img" aria-label=${s("common.upload")}>↑</span> ${et(e, a("upload_rate"))}
      </span>
    </div>`;
  }
  renderList(e, t, s, i) {
    const o = v(e), { store: a } = this.live, r = s.flatMap(({ row: d }) => d.device_id && e.devices[d.device_id] || []), l = new Set(r.flatMap((d) => d.area_id ?? [])), c = new Set(r.flatMap((d) => d.labels ?? [])), h = new Set(s.map(({ entryId: d }) => d)).size > 1;
    return u`
      ${Ft(e, a, t.entry_id)}
      ${t.toolbar ?? s.length > ll ? al(
      e,
      this.settings,
      hn(t.area).length === 1 ? /* @__PURE__ */ new Set() : l,
      this.labels.filter(({ label_id: d }) => c.has(d)),
      (d) => this.settings = { ...this.settings, ...d }
    ) : m}
      ${i.length ? u`<div
            class="list"
            role="list"
            aria-label=${t.title ?? o("devices.title")}
            @hearthwall-open=${this.onOpen}
            @hearthwall-events=${this.onEvents}
            @hearthwall-quarantine=${this.onQuarantine}
          >
            ${B(
      this.whole ? i : i.slice(0, ti),
      ({ key: d }) => d,
      (d) => u`<hearthwall-device-row
                role="listitem"
                .hass=${e}
                .device=${d}
                .alert=${this.alerted.alerts?.of(d)}
                .gateway=${h ? a?.gateways.get(d.entryId)?.name : void 0}
                .sort=${this.settings.sort}
                .connected=${a?.gateways.get(d.entryId)?.connected ?? !1}
                .readOnly=${a?.isReadOnly(d.entryId) ?? !1}
                .stale=${a?.gateways.get(d.entryId)?.stale ?? !1}
              ></hearthwall-device-row>`
    )}
            ${i.length > ti && !this.whole ? u`<button class="quiet more" @click=${() => this.whole = !0}>
                  ${o("devices.show_rest", { count: L(e, i.length) })}
                </button>` : m}
          </div>` : u`<div class="message" role="status">
            <p>${o(s.length ? "devices.none_found" : "devices.none")}</p>
            ${s.length ? u`<button class="quiet" @click=${this.onClear}>${o("devices.clear")}</button>` : m}
          </div>`}
    `;
  }
  updated() {
    this.announce();
  }
  /** Tell screen readers who was cut off or let in, whoever ordered it. */
  announce() {
    const { hass: e } = this;
    if (!e || !this.live.store?.gateways.size) return;
    const t = v(e), s = this.quarantined;
    this.quarantined = /* @__PURE__ */ new Map();
    const i = [];
    for (const { key: o, row: a } of this.mine(e)) {
      this.quarantined.set(o, a.quarantined);
      const r = s?.get(o);
      r !== void 0 && r !== a.quarantined && i.push(t(a.quarantined ? "quarantine.on" : "quarantine.off", { name: a.name }));
    }
    i.length && this.notice.announce(i.slice(0, 3).join(" "));
  }
};
es.styles = [
  J,
  W,
  q`
      ha-card {
        container: devices / inline-size;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0 16px;
        padding-block: 4px;
      }
      .head h2 {
        padding: 8px 16px 4px;
      }
      .summary {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        padding: 4px 16px;
        font-variant-numeric: tabular-nums;
      }
      .toolbar {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 4px 16px 8px;
      }
      .field {
        display: flex;
        flex-direction: column;
        gap: 2px;
        flex: 0 1 auto;
        min-width: 0;
        font-size: 12px;
        line-height: 16px;
        color: var(--secondary-text-color);
      }
      .field > span {
        padding-inline-start: 12px;
      }
      .field.search {
        flex: 1 1 180px;
      }
      input,
      select {
        height: 40px;
        min-width: 0;
        max-width: 100%;
        box-sizing: border-box;
        padding: 0 12px;
        border: 1px solid var(--hearthwall-line);
        border-radius: 20px;
        font: inherit;
        font-size: 14px;
        color: var(--primary-text-color);
        background: var(--card-background-color, #fff);
      }
      input {
        width: 100%;
        appearance: none;
      }
      select {
        text-overflow: ellipsis;
      }
      .list {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
        max-height: var(--hearthwall-list-height, 70vh);
        padding-bottom: 8px;
      }
      .more {
        display: block;
        margin: 8px auto;
      }
      hearthwall-device-row + hearthwall-device-row {
        border-top: 1px solid color-mix(in srgb, var(--hearthwall-line) 60%, transparent);
      }
      @container devices (max-width: 479px) {
        .field.search {
          flex-basis: 100%;
        }
        .field {
          flex: 1 1 40%;
        }
      }
    `
];
let z = es;
Y([
  M({ attribute: !1 })
], z.prototype, "hass");
Y([
  M({ attribute: !1 })
], z.prototype, "layout");
Y([
  S()
], z.prototype, "config");
Y([
  S()
], z.prototype, "settings");
Y([
  S()
], z.prototype, "labels");
Y([
  S()
], z.prototype, "whole");
Y([
  j("hearthwall-confirm")
], z.prototype, "confirm");
Y([
  j("hearthwall-notice")
], z.prototype, "notice");
Y([
  j("hearthwall-device-dialog")
], z.prototype, "dialog");
Y([
  j(".list")
], z.prototype, "rows");
var cl = Object.defineProperty, de = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && cl(e, t, i), i;
};
const ts = class ts extends I {
  constructor() {
    super(), this.connected = !0, this.readOnly = !1, this.stale = !1, this.sort = "today", new Gt(this, () => this.moves());
  }
  /** Whether there is something to see that changes with the clock. */
  moves() {
    if (!this.connected || this.stale || !this.device) return !1;
    const { row: e, samples: t } = this.device;
    return e.rule?.expires != null || t.some(({ upload: s, download: i }) => s + i > 0);
  }
  render() {
    const { hass: e, device: t } = this;
    if (!e || !t) return m;
    const s = v(e), { row: i } = t, o = Date.now() / 1e3, { key: a, tone: r, expires: l } = Fi(i), [c, h] = [et(e, i.download_rate), et(e, i.upload_rate)], d = C(e, i.download_today + i.upload_today), p = i.top_peer ? s("devices.top_peer", { peer: i.top_peer }) : i.online ? i.addresses[0] ?? i.mac : s("devices.seen", { ago: tt(e, i.last_seen, o) }), y = this.gateway === void 0 ? p : `${this.gateway} · ${p}`;
    return u`
      <div class="row">
        <span class="dot ${r} ${i.online ? "" : "away"}" aria-hidden="true"></span>
        <div class="who">
          <button
            class="open cut"
            ?disabled=${!i.device_id}
            aria-label=${s("devices.row", { name: i.name, status: s(a), download: c, upload: h, today: d })}
            title=${i.name}
            @click=${() => this.fire("hearthwall-open")}
          >
            ${i.name}
          </button>
          <div class="secondary cut" title=${y}>${y}</div>
          ${this.renderAlert(e, t)}
        </div>
        <div class="status">
          ${r === "good" || r === "none" && !i.rule ? u`<span class="secondary plain">${s(a)}</span>` : u`<span class="chip ${r}">${s(a)}</span>`}
          ${l === null ? m : u`<span class="secondary count" role="timer">${s("common.left", { span: nt(e, l - o) })}</span>`}
        </div>
        <hearthwall-sparkline .samples=${t.samples} .now=${o}></hearthwall-sparkline>
        <div class="rates" aria-hidden="true">
          <span class=${i.download_rate ? "" : "idle"}><span class="down">↓</span> ${c}</span>
          <span class=${i.upload_rate ? "" : "idle"}><span class="up">↑</span> ${h}</span>
        </div>
        <div class="today" aria-hidden="true">
          <span class="wide">${d}</span>
          <span class="wide secondary">${s("devices.today")}</span>
          <span class="small secondary">${s("devices.today_small", { total: d })}</span>
        </div>
        <button
          class="switch"
          role="switch"
          aria-checked=${i.quarantined}
          aria-label=${s("quarantine.switch", { name: i.name })}
          title=${this.readOnly ? s("orders.read_only") : this.connected ? s("quarantine.switch", { name: i.name }) : s("quarantine.impossible")}
          ?disabled=${this.readOnly || !this.connected}
          @click=${() => this.fire("hearthwall-quarantine")}
        >
          <span class="track"><span class="thumb"></span></span>
          <span class="word">${s("quarantine.label")}</span>
        </button>
      </div>
    `;
  }
  /** What asks for attention leads to the device's events. */
  renderAlert(e, { row: t }) {
    if (!this.alert) return m;
    const s = v(e), { event: i, count: o } = this.alert, a = s(ut(i.kind).name), r = s(`severity.${i.severity}`);
    return u`<button
      class="alert ${i.severity}"
      ?disabled=${!t.device_id}
      title=${s("devices.alert_open", { severity: r, summary: O(i.summary), name: t.name })}
      @click=${() => this.fire("hearthwall-events")}
    >
      ${Ki(i.severity)}
      <span class="cut">${o > 1 ? s("devices.alert", { kind: a, more: L(e, o - 1) }) : s("devices.alert.one", { kind: a })}</span>
    </button>`;
  }
  fire(e) {
    this.dispatchEvent(new CustomEvent(e, { detail: this.device, bubbles: !0, composed: !0 }));
  }
};
ts.styles = [
  J,
  W,
  q`
      :host {
        content-visibility: auto;
        contain-intrinsic-size: auto 64px;
      }
      .row {
        position: relative;
        display: grid;
        grid-template:
          "dot who status spark rates today switch" auto / 12px minmax(150px, 4fr) minmax(96px, 1.2fr)
          minmax(60px, 1.6fr) 96px 76px 76px;
        align-items: center;
        gap: 0 12px;
        min-height: 56px;
        padding: 4px 12px 4px 16px;
        box-sizing: border-box;
      }
      .row:hover {
        background: color-mix(in srgb, var(--primary-text-color) 4%, transparent);
      }
      .dot {
        grid-area: dot;
        width: 10px;
        height: 10px;
        box-sizing: border-box;
        border-radius: 50%;
        background: currentcolor;
        border: 2px solid currentcolor;
      }
      .dot.good {
        color: var(--success-color, #43a047);
      }
      .dot.held {
        color: var(--warning-color, #ffa600);
      }
      .dot.bad {
        color: var(--error-color, #db4437);
      }
      .dot.none {
        color: var(--secondary-text-color);
      }
      .dot.away {
        background: none;
      }
      .who {
        grid-area: who;
        min-width: 0;
      }
      .open {
        display: block;
        max-width: 100%;
        min-height: 0;
        padding: 0;
        border-radius: 4px;
        font-weight: 400;
        line-height: 22px;
        text-align: start;
        color: var(--primary-text-color);
      }
      /* The whole row opens the device; a keyboard and a screen reader meet one button */
      .open::after {
        content: "";
        position: absolute;
        inset: 0;
      }
      .open:disabled {
        opacity: 1;
      }
      .open:focus-visible {
        outline: none;
      }
      .open:focus-visible::after {
        outline: 2px solid var(--primary-color);
        outline-offset: -2px;
        border-radius: 8px;
      }
      .status {
        grid-area: status;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 6px;
        min-width: 0;
      }
      .chip {
        padding: 2px 8px;
        border-radius: 10px;
        font-size: 12px;
        line-height: 16px;
        color: var(--primary-text-color);
      }
      .chip.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      .chip.held {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 24%, transparent);
      }
      .chip.none {
        background: color-mix(in srgb, var(--primary-text-color) 10%, transparent);
      }
      .count,
      .rates,
      .today {
        font-variant-numeric: tabular-nums;
      }
      hearthwall-sparkline {
        grid-area: spark;
        height: 32px;
      }
      :host(:is(:not([connected]), [stale])) hearthwall-sparkline {
        opacity: 0.4;
      }
      :host(:is(:not([connected]), [stale])) :is(.rates, .today) {
        color: var(--secondary-text-color);
      }
      .rates {
        grid-area: rates;
        display: flex;
        flex-direction: column;
        font-size: 12px;
        line-height: 16px;
        text-align: end;
        white-space: nowrap;
      }
      .idle {
        color: var(--secondary-text-color);
      }
      .today {
        grid-area: today;
        display: flex;
        flex-direction: column;
        align-items: end;
        font-size: 14px;
        line-height: 18px;
        white-space: nowrap;
      }
      .small {
        display: none;
      }
      .alert {
        position: relative;
        z-index: 1;
        display: inline-flex;
        align-items: center;
        gap: 4px;
        max-width: 100%;
        min-height: 24px;
        margin: 2px 0;
        padding: 2px 10px 2px 6px;
        border-radius: 12px;
        font-size: 12px;
        line-height: 16px;
        color: var(--primary-text-color);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 26%, transparent);
      }
      .alert.critical {
        background: color-mix(in srgb, var(--error-color, #db4437) 26%, transparent);
      }
      .alert svg {
        flex: none;
        width: 16px;
        height: 16px;
        fill: color-mix(in srgb, var(--warning-color, #ffa600) 70%, var(--primary-text-color));
      }
      .alert.critical svg {
        fill: color-mix(in srgb, var(--error-color, #db4437) 80%, var(--primary-text-color));
      }
      .switch {
        grid-area: switch;
        z-index: 1;
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 2px;
        min-width: 72px;
        min-height: 44px;
        padding: 0;
        border-radius: 12px;
      }
      .word {
        font-size: 11px;
        font-weight: 400;
        line-height: 14px;
        color: var(--secondary-text-color);
      }
      .track {
        display: block;
        width: 36px;
        height: 20px;
        padding: 3px;
        box-sizing: border-box;
        border-radius: 10px;
        background: color-mix(in srgb, var(--primary-text-color) 45%, transparent);
        transition: background 0.15s;
      }
      .thumb {
        display: block;
        width: 14px;
        height: 14px;
        border-radius: 50%;
        background: var(--card-background-color, #fff);
        transition: translate 0.15s;
      }
      [aria-checked="true"] .track {
        background: var(--error-color, #db4437);
      }
      [aria-checked="true"] .thumb {
        translate: 16px;
      }
      @container devices (max-width: 719px) {
        .row {
          grid-template:
            "dot who who who switch" auto
            ". status status status status" auto
            ". spark today rates rates" auto / 12px minmax(0, 1fr) auto auto 72px;
          gap: 2px 0;
          padding-block: 6px;
        }
        .who {
          margin-inline-start: 12px;
        }
        .status {
          margin-inline-start: 12px;
        }
        .status:not(:has(.chip)) {
          display: none;
        }
        hearthwall-sparkline {
          margin-inline-start: 12px;
        }
        /* The dot says it: filled or hollow */
        .plain {
          display: none;
        }
        .rates {
          flex-direction: row;
          justify-content: end;
          gap: 12px;
          min-width: 148px;
          padding-inline: 12px 8px;
        }
        hearthwall-sparkline {
          height: 24px;
        }
        .wide,
        :host(:not([sort="today"])) .today {
          display: none;
        }
        .small {
          display: inline;
          padding-inline-start: 8px;
        }
      }
    `
];
let V = ts;
de([
  M({ attribute: !1 })
], V.prototype, "hass");
de([
  M({ attribute: !1 })
], V.prototype, "device");
de([
  M({ type: Boolean, reflect: !0 })
], V.prototype, "connected");
de([
  M({ type: Boolean })
], V.prototype, "readOnly");
de([
  M({ type: Boolean, reflect: !0 })
], V.prototype, "stale");
de([
  M({ attribute: !1 })
], V.prototype, "gateway");
de([
  M({ attribute: !1 })
], V.prototype, "alert");
de([
  M({ reflect: !0 })
], V.prototype, "sort");
var dl = Object.defineProperty, ke = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && dl(e, t, i), i;
};
const hl = /* @__PURE__ */ new Set(["Enter", " "]);
var oe;
const he = (oe = class extends I {
  constructor() {
    super(...arguments), this.choice = "", this.busy = !1, this.ready = !1, this.problem = "", this.onSubmit = async (e) => {
      e.preventDefault();
      const { question: t } = this;
      if (!(!t || this.busy || !this.ready)) {
        this.busy = !0, this.problem = "";
        try {
          await t.act(this.choice), this.busy = !1, this.question === t && this.end(!0);
        } catch (s) {
          this.busy = !1, this.problem = X(s);
        }
      }
    };
  }
  /** Ask; return whether it was done. */
  async ask(e) {
    this.answered?.(!1), this.question = e, this.choice = e.choices?.[0]?.value ?? "", this.problem = "", this.busy = !1, this.wait(), await this.updateComplete;
    const t = new Promise((s) => this.answered = s);
    return this.dialog.open || this.dialog.showModal(), t;
  }
  disconnectedCallback() {
    super.disconnectedCallback(), clearTimeout(this.waiting);
  }
  wait() {
    const { patienceMs: e } = oe;
    clearTimeout(this.waiting), this.ready = e === 0, this.ready || (this.waiting = setTimeout(() => this.ready = !0, e));
  }
  render() {
    const { question: e } = this;
    if (!e) return m;
    const t = v(this.hass);
    return u`
      <dialog
        aria-labelledby="title"
        aria-describedby="text"
        @close=${() => this.end(!1)}
        @click=${(s) => s.target === this.dialog && this.ready && this.end(!1)}
        @keydown=${(s) => s.repeat && hl.has(s.key) && s.preventDefault()}
        @cancel=${(s) => this.busy && s.preventDefault()}
      >
        <form @submit=${this.onSubmit}>
          <h2 id="title">${e.title}</h2>
          <p id="text">${e.text}</p>
          ${e.choices ? u`<fieldset ?disabled=${this.busy}>
                ${e.choices.map(
      ({ value: s, label: i }) => u`<label>
                    <input
                      type="radio"
                      name="choice"
                      .value=${s}
                      .checked=${s === this.choice}
                      @change=${() => this.choice = s}
                    /><span>${i}</span>
                  </label>`
    )}
              </fieldset>` : m}
          <p class="problem" role="alert">${this.problem}</p>
          <div class="buttons">
            <button type="button" class="plain" ?disabled=${this.busy} autofocus @click=${() => this.end(!1)}>
              ${t("common.cancel")}
            </button>
            <button
              type="submit"
              class=${e.danger ? "danger" : "main"}
              ?disabled=${this.busy || !this.ready}
            >
              ${this.busy ? t("common.busy") : e.confirm}
            </button>
          </div>
        </form>
      </dialog>
    `;
  }
  end(e) {
    if (this.busy || !this.answered) return;
    const { answered: t } = this;
    this.answered = void 0, this.dialog?.open && this.dialog.close(), this.question = void 0, t(e);
  }
}, oe.patienceMs = 500, oe.styles = [
  J,
  q`
      dialog {
        box-sizing: border-box;
        width: min(420px, calc(100vw - 32px));
        max-height: calc(100vh - 32px);
        padding: 24px;
        border: none;
        border-radius: var(--ha-dialog-border-radius, 24px);
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        box-shadow: 0 8px 32px rgb(0 0 0 / 40%);
        overflow-wrap: anywhere;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 50%);
      }
      h2 {
        margin: 0 0 12px;
        font-size: 20px;
        font-weight: 500;
        line-height: 28px;
      }
      p {
        margin: 0 0 12px;
        color: var(--secondary-text-color);
        line-height: 20px;
      }
      .problem {
        color: var(--error-color);
      }
      .problem:empty {
        display: none;
      }
      fieldset {
        margin: 0 0 8px;
        padding: 0;
        border: none;
      }
      label {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 40px;
        cursor: pointer;
      }
      input {
        width: 20px;
        height: 20px;
        margin: 0;
        accent-color: var(--primary-color);
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 12px;
      }
    `
], oe);
ke([
  M({ attribute: !1 })
], he.prototype, "hass");
ke([
  S()
], he.prototype, "question");
ke([
  S()
], he.prototype, "choice");
ke([
  S()
], he.prototype, "busy");
ke([
  S()
], he.prototype, "ready");
ke([
  S()
], he.prototype, "problem");
ke([
  j("dialog")
], he.prototype, "dialog");
let ul = he;
const $t = 50;
function pl(n) {
  const { severity: e, limit: t } = n;
  if (e !== void 0 && !Le.includes(e))
    throw new Error(`severity is none of ${Le.join(", ")}`);
  if (t !== void 0 && !(Number.isInteger(t) && t >= 1 && t <= 200))
    throw new Error("limit is no whole number from 1 to 200");
  return n;
}
function ml() {
  const n = v(void 0), e = Le.map((t) => ({ value: t, label: n(`severity.${t}`) }));
  return {
    schema: [
      { name: "title", selector: { text: {} } },
      { name: "severity", selector: { select: { mode: "dropdown", options: e } } },
      { name: "device_id", selector: { device: { filter: { integration: T } } } },
      { name: "entry_id", selector: { config_entry: { integration: T } } },
      { name: "limit", selector: { number: { min: 1, max: 200, mode: "box" } } },
      { name: "filters", default: !0, selector: { boolean: {} } },
      { name: "navigation_path", selector: { navigation: {} } }
    ],
    computeLabel: ({ name: t }) => n(`events.field.${t}`)
  };
}
const fl = 86400;
function vl({ locale: n, config: e }, t = Date.now() / 1e3) {
  const s = n.time_zone === "server" ? { timeZone: e.time_zone } : {}, i = new Intl.DateTimeFormat("en-CA", { ...s, dateStyle: "short" }), o = new Intl.DateTimeFormat(n.language, { ...s, weekday: "long", month: "long", day: "numeric" }), a = new Intl.RelativeTimeFormat(n.language, { numeric: "auto" }), r = (d) => new Date(d * 1e3), [l, c] = [i.format(r(t)), i.format(r(t - fl))], h = (d) => d.charAt(0).toLocaleUpperCase(n.language) + d.slice(1);
  return (d) => {
    const p = i.format(r(d));
    return p === l ? h(a.format(0, "day")) : p === c ? h(a.format(-1, "day")) : o.format(r(d));
  };
}
class gl {
  /** `mustHold` says whether new ones shall wait. */
  constructor(e, t) {
    this.host = e, this.mustHold = t, this.timeline = new Za(), this.phase = "waiting", this.reason = "", this.hasOlder = !1, this.inPage = !1, this.told = /* @__PURE__ */ new Set(), e.addController(this);
  }
  hostConnected() {
    this.inPage = !0, this.begin();
  }
  hostUpdate() {
    this.inPage && this.host.hass && this.host.hass.connection !== this.connection && this.begin();
  }
  hostDisconnected() {
    this.inPage = !1, this.end?.(), this.end = this.connection = void 0;
  }
  /** Ask for other events; those that are shown stay until others are there, unless all begins `anew`. */
  want(e, t = !1) {
    JSON.stringify(e) !== JSON.stringify(this.wanted) && (this.wanted = e, t && (this.timeline.clear(), this.phase = "waiting"), this.begin());
  }
  begin() {
    const { hass: e } = this.host;
    if (!this.inPage || !e || !this.wanted || !U(e)) return;
    this.end?.(), this.connection = e.connection, this.told.clear(), this.hasOlder = !1;
    const t = Object.entries(this.wanted).filter(([, s]) => s !== void 0);
    this.end = Nt(
      this.connection,
      { type: "hearthwall/subscribe_events", ...Object.fromEntries(t) },
      {
        message: (s) => this.receive(s),
        // What there is comes at once; without any gateway nothing does
        up: () => this.enter(this.told.size ? "live" : "waiting"),
        down: () => {
          this.told.clear(), this.enter("offline");
        },
        refused: (s) => {
          this.reason = X(s), this.enter(bi(s) ? "absent" : "failed");
        }
      }
    );
  }
  enter(e) {
    this.phase = e, this.host.requestUpdate();
  }
  receive({ type: e, entry_id: t, events: s }) {
    if (e !== "events") return;
    const { limit: i } = this.wanted;
    this.told.has(t) || (this.told.add(t), this.hasOlder ||= s.length >= i && i < Ct), this.timeline.receive(s, this.timeline.events.length > 0 && this.mustHold()), this.enter("live");
  }
}
const un = (n) => n.target.value;
function yl(n, { filter: e, least: t, who: s, kinds: i, onChange: o }) {
  const a = v(n), r = (l, c, h) => u`<option value=${l} ?selected=${l === h}>${c}</option>`;
  return u`<div class="filters" role="group" aria-label=${a("events.filters")}>
    <select
      aria-label=${a("events.filter.severity")}
      @change=${(l) => o({ ...e, severity: un(l) })}
    >
      ${Le.filter((l) => qe(l) >= qe(t)).map(
    (l) => r(
      l,
      l === "info" ? a("events.filter.all_severities") : a("events.filter.from", { severity: a(`severity.${l}`) }),
      e.severity
    )
  )}
    </select>
    <select
      aria-label=${a("events.filter.kind")}
      @change=${(l) => o({ ...e, kind: un(l) || null })}
    >
      ${r("", a("events.filter.all_kinds"), e.kind ?? "")}
      ${i.map((l) => r(l, a(ut(l).name), e.kind ?? ""))}
    </select>
    ${s.length ? u`<select
          aria-label=${a("events.filter.who")}
          @change=${(l) => o({ ...e, who: un(l) || null })}
        >
          ${r("", a("events.filter.all_devices"), e.who ?? "")}
          ${s.map(({ id: l, name: c }) => r(l, c, e.who ?? ""))}
        </select>` : m}
  </div>`;
}
const wl = q`
  :host {
    height: 100%;
  }
  .filters {
    display: flex;
    flex: none;
    flex-wrap: wrap;
    gap: 8px;
    padding: 0 16px 8px;
  }
  select {
    flex: 1 1 120px;
    min-width: 0;
    max-width: 260px;
    min-height: 36px;
    padding: 0 8px;
    border: none;
    border-radius: 18px;
    font: inherit;
    font-size: 13px;
    text-overflow: ellipsis;
    cursor: pointer;
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
  }
  option {
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
  }
  .news {
    display: flex;
    justify-content: center;
    padding: 0 16px;
  }
  .news button {
    min-height: 36px;
    margin-bottom: 8px;
    font-size: 13px;
  }
  .list {
    flex: 1 1 auto;
    min-height: 0;
    max-height: var(--hearthwall-events-height, max(480px, calc(100vh - 200px)));
    padding: 0 8px 12px;
    overflow: hidden auto;
    overflow-anchor: auto;
  }
  h3 {
    position: sticky;
    top: 0;
    z-index: 1;
    margin: 0;
    padding: 8px;
    font-size: 13px;
    font-weight: 500;
    color: var(--secondary-text-color);
    background: var(--ha-card-background, var(--card-background-color, #fff));
  }
  .message p {
    margin: 12px 0 0;
  }
  .calm svg {
    width: 48px;
    height: 48px;
    margin: 0 auto;
    color: var(--success-color, #43a047);
  }
  .older {
    display: block;
    margin: 8px auto 0;
  }
`;
var bl = Object.defineProperty, Ae = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && bl(e, t, i), i;
};
const $l = 8, ns = class ns extends I {
  constructor() {
    super(...arguments), this.filter = an, this.lost = [], this.limit = $t, this.opened = new Bi(this, (e) => ({
      hass: e,
      store: this.store,
      confirm: this.confirm,
      notice: this.notice
    })), this.feed = new gl(this, () => this.mustHold()), this.showNew = () => {
      this.opened.close(), this.feed.timeline.release(), this.requestUpdate(), this.updateComplete.then(() => {
        this.list && (this.list.scrollTop = 0), this.renderRoot.querySelector(".line")?.focus({ preventScroll: !0 });
      });
    }, this.loadOlder = () => {
      this.limit = Math.min(Ct, this.limit + (this.config?.limit ?? $t)), this.want();
    }, this.showAll = () => {
      Vn(this.config.navigation_path);
    };
  }
  static getConfigForm() {
    return ml();
  }
  static getStubConfig() {
    return { limit: $t };
  }
  setConfig(e) {
    this.config = pl(e), this.limit = e.limit ?? $t, this.filter = { ...an, severity: e.severity ?? "info" }, this.want(!0);
  }
  getCardSize() {
    return 8;
  }
  getGridOptions() {
    return { columns: 12, rows: 9, min_columns: 6, min_rows: 4 };
  }
  disconnectedCallback() {
    super.disconnectedCallback(), this.endListening?.(), this.endListening = this.store = void 0;
  }
  want(e = !1) {
    const { config: t, filter: s, limit: i } = this, o = s.severity === "info" ? void 0 : s.severity;
    this.feed.want({ entry_id: t?.entry_id, device_id: t?.device_id, severity: o, limit: i }, e);
  }
  willUpdate(e) {
    this.isConnected && this.hass && !this.store && U(this.hass) && (this.store = In(this.hass.connection), this.endListening = this.store.listen(() => this.onLive())), this.feed.phase === "live" && (this.seen ??= this.feed.timeline.events[0]?.time ?? 0);
  }
  /** Which sensors are lost, and who is quarantined, shows; what moves does not. */
  onLive() {
    const t = [...this.store?.gateways.values() ?? []].filter(({ connected: s, entryId: i }) => !s && (this.config?.entry_id ?? i) === i).map(({ name: s }) => s);
    t.join(`
`) !== this.lost.join(`
`) ? this.lost = t : (this.opened.key || this.store?.missing && this.feed.phase === "waiting") && this.requestUpdate();
  }
  mustHold() {
    const { list: e } = this;
    return this.opened.key !== null || !!(e && (e.scrollTop > $l || e.matches(":focus-within")));
  }
  render() {
    if (!this.config || !this.hass) return m;
    const e = v(this.hass);
    return u`
      <ha-card>
        <h2 class="card-title">${this.config.title ?? e("events.title")}</h2>
        ${this.trouble()} ${U(this.hass) ? this.timeline() : this.message(e("events.admin"))}
        <hearthwall-notice .hass=${this.hass}></hearthwall-notice>
        <hearthwall-confirm .hass=${this.hass}></hearthwall-confirm>
      </ha-card>
    `;
  }
  message(e, t = m) {
    return u`<div class="message" role="status">${t}<p>${e}</p></div>`;
  }
  /** Return why what is shown may be old. */
  trouble() {
    const e = v(this.hass), { phase: t, timeline: s, reason: i } = this.feed, o = (a) => u`<p class="notice" role="status">${a}</p>`;
    return U(this.hass) ? t === "offline" ? o(e("events.offline")) : t === "failed" && s.events.length ? o(e("events.failed", { reason: i })) : this.lost.length ? o(e("events.lost", { gateway: this.lost.join(", ") })) : m : m;
  }
  timeline() {
    const e = this.hass, t = v(e), { timeline: s, phase: i, reason: o, hasOlder: a } = this.feed;
    if (!s.events.length) {
      if (i === "absent") return this.message(t("common.absent"));
      if (i === "failed") return this.message(t("events.failed", { reason: o }));
      if (i === "waiting" && (this.lost.length || this.store?.missing)) return Wi(e);
      if (i === "waiting" || i === "offline") return this.message(t("common.loading"));
    }
    const r = zs(s.events, this.filter), l = zs(s.waiting, this.filter).length, c = this.config.filters === !1 ? r.slice(0, this.limit) : r;
    return u`
      ${this.config.filters === !1 ? m : this.filters(s.events)}
      <div class="news" role="status">
        ${l ? u`<button class="main" @click=${this.showNew}>
              ${t(l === 1 ? "events.new.one" : "events.new", { count: l })}
            </button>` : m}
      </div>
      <div class="list">
        ${c.length ? this.days(c) : this.empty()}
        ${this.config.filters !== !1 && a ? u`<button class="quiet older" @click=${this.loadOlder}>${t("events.older")}</button>` : m}
        ${this.config.navigation_path ? u`<button class="quiet older" @click=${this.showAll}>${t("events.all")}</button>` : m}
      </div>
    `;
  }
  days(e) {
    const t = this.hass;
    return Xa(e, vl(t)).map(
      ({ day: s, events: i }) => u`
        <h3>${s}</h3>
        <ul class="events">
          ${B(
        i,
        N,
        (o) => Qi(
          o,
          this.opened.viewOf(t, o, {
            when: wn(t, o.time),
            fresh: o.time > (this.seen ?? 1 / 0)
          })
        )
      )}
        </ul>
      `
    );
  }
  empty() {
    const e = v(this.hass), t = this.config?.severity ?? "info", { severity: s, kind: i, who: o } = this.filter;
    return s === t && i === null && o === null ? this.message(e("events.none"), u`<span class="calm">${Yt($r)}</span>`) : this.message(
      e("events.none_found"),
      u`<button class="quiet" @click=${() => this.choose({ ...an, severity: t })}>
        ${e("events.clear")}
      </button>`
    );
  }
  filters(e) {
    const t = this.hass, s = ct(t);
    return yl(t, {
      filter: this.filter,
      least: this.config?.severity ?? "info",
      who: this.config?.device_id ? [] : Ds(e, Di, Ne, s),
      kinds: Ds(e, ({ kind: i }) => i, ({ kind: i }) => i, s).map(({ id: i }) => i),
      onChange: (i) => this.choose(i)
    });
  }
  choose(e) {
    const t = qe(e.severity) !== qe(this.filter.severity);
    this.filter = e, this.opened.close(), t && this.want();
  }
};
ns.styles = [J, W, Si, wl];
let G = ns;
Ae([
  M({ attribute: !1 })
], G.prototype, "hass");
Ae([
  S()
], G.prototype, "config");
Ae([
  S()
], G.prototype, "filter");
Ae([
  S()
], G.prototype, "lost");
Ae([
  j("hearthwall-confirm")
], G.prototype, "confirm");
Ae([
  j("hearthwall-notice")
], G.prototype, "notice");
Ae([
  j(".list")
], G.prototype, "list");
const xl = { "hearthwall-events-card": G };
function _l() {
  const n = v(void 0);
  return {
    type: "hearthwall-events-card",
    name: n("events.name"),
    description: n("events.description"),
    preview: !0
  };
}
const no = "important", kl = " !" + no, Wn = zn(class extends Dn {
  constructor(n) {
    if (super(n), n.type !== Un.ATTRIBUTE || n.name !== "style" || n.strings?.length > 2) throw Error("The `styleMap` directive must be used in the `style` attribute and must be the only part in the attribute.");
  }
  render(n) {
    return Object.keys(n).reduce((e, t) => {
      const s = n[t];
      return s == null ? e : e + `${t = t.includes("-") ? t : t.replace(/(?:^(webkit|moz|ms|o)|)(?=[A-Z])/g, "-$&").toLowerCase()}:${s};`;
    }, "");
  }
  update(n, [e]) {
    const { style: t } = n.element;
    if (this.ft === void 0) return this.ft = new Set(Object.keys(e)), this.render(e);
    for (const s of this.ft) e[s] == null && (this.ft.delete(s), s.includes("-") ? t.removeProperty(s) : t[s] = null);
    for (const s in e) {
      const i = e[s];
      if (i != null) {
        this.ft.add(s);
        const o = typeof i == "string" && i.endsWith(kl);
        s.includes("-") || o ? t.setProperty(s, o ? i.slice(0, -11) : i, o ? no : "") : t[s] = i;
      }
    }
    return Q;
  }
});
function ni(n, e) {
  let t;
  if (e === void 0)
    for (const s of n)
      s != null && (t < s || t === void 0 && s >= s) && (t = s);
  else {
    let s = -1;
    for (let i of n)
      (i = e(i, ++s, n)) != null && (t < i || t === void 0 && i >= i) && (t = i);
  }
  return t;
}
function Al(n, e) {
  let t;
  if (e === void 0)
    for (const s of n)
      s != null && (t > s || t === void 0 && s >= s) && (t = s);
  else {
    let s = -1;
    for (let i of n)
      (i = e(i, ++s, n)) != null && (t > i || t === void 0 && i >= i) && (t = i);
  }
  return t;
}
function pn(n, e) {
  let t = 0;
  if (e === void 0)
    for (let s of n)
      (s = +s) && (t += s);
  else {
    let s = -1;
    for (let i of n)
      (i = +e(i, ++s, n)) && (t += i);
  }
  return t;
}
function Sl(n, e) {
  return n.sourceLinks.length ? n.depth : e - 1;
}
function xt(n) {
  return function() {
    return n;
  };
}
function si(n, e) {
  return It(n.source, e.source) || n.index - e.index;
}
function ii(n, e) {
  return It(n.target, e.target) || n.index - e.index;
}
function It(n, e) {
  return n.y0 - e.y0;
}
function mn(n) {
  return n.value;
}
function Ml(n) {
  return n.index;
}
function Ol(n) {
  return n.nodes;
}
function El(n) {
  return n.links;
}
function oi(n, e) {
  const t = n.get(e);
  if (!t) throw new Error("missing: " + e);
  return t;
}
function ai({ nodes: n }) {
  for (const e of n) {
    let t = e.y0, s = t;
    for (const i of e.sourceLinks)
      i.y0 = t + i.width / 2, t += i.width;
    for (const i of e.targetLinks)
      i.y1 = s + i.width / 2, s += i.width;
  }
}
function Cl() {
  let n = 0, e = 0, t = 1, s = 1, i = 24, o = 8, a, r = Ml, l = Sl, c, h, d = Ol, p = El, y = 6;
  function g() {
    const f = { nodes: d.apply(null, arguments), links: p.apply(null, arguments) };
    return $(f), A(f), H(f), P(f), fo(f), ai(f), f;
  }
  g.update = function(f) {
    return ai(f), f;
  }, g.nodeId = function(f) {
    return arguments.length ? (r = typeof f == "function" ? f : xt(f), g) : r;
  }, g.nodeAlign = function(f) {
    return arguments.length ? (l = typeof f == "function" ? f : xt(f), g) : l;
  }, g.nodeSort = function(f) {
    return arguments.length ? (c = f, g) : c;
  }, g.nodeWidth = function(f) {
    return arguments.length ? (i = +f, g) : i;
  }, g.nodePadding = function(f) {
    return arguments.length ? (o = a = +f, g) : o;
  }, g.nodes = function(f) {
    return arguments.length ? (d = typeof f == "function" ? f : xt(f), g) : d;
  }, g.links = function(f) {
    return arguments.length ? (p = typeof f == "function" ? f : xt(f), g) : p;
  }, g.linkSort = function(f) {
    return arguments.length ? (h = f, g) : h;
  }, g.size = function(f) {
    return arguments.length ? (n = e = 0, t = +f[0], s = +f[1], g) : [t - n, s - e];
  }, g.extent = function(f) {
    return arguments.length ? (n = +f[0][0], t = +f[1][0], e = +f[0][1], s = +f[1][1], g) : [[n, e], [t, s]];
  }, g.iterations = function(f) {
    return arguments.length ? (y = +f, g) : y;
  };
  function $({ nodes: f, links: _ }) {
    for (const [x, w] of f.entries())
      w.index = x, w.sourceLinks = [], w.targetLinks = [];
    const b = new Map(f.map((x, w) => [r(x, w, f), x]));
    for (const [x, w] of _.entries()) {
      w.index = x;
      let { source: k, target: E } = w;
      typeof k != "object" && (k = w.source = oi(b, k)), typeof E != "object" && (E = w.target = oi(b, E)), k.sourceLinks.push(w), E.targetLinks.push(w);
    }
    if (h != null)
      for (const { sourceLinks: x, targetLinks: w } of f)
        x.sort(h), w.sort(h);
  }
  function A({ nodes: f }) {
    for (const _ of f)
      _.value = _.fixedValue === void 0 ? Math.max(pn(_.sourceLinks, mn), pn(_.targetLinks, mn)) : _.fixedValue;
  }
  function H({ nodes: f }) {
    const _ = f.length;
    let b = new Set(f), x = /* @__PURE__ */ new Set(), w = 0;
    for (; b.size; ) {
      for (const k of b) {
        k.depth = w;
        for (const { target: E } of k.sourceLinks)
          x.add(E);
      }
      if (++w > _) throw new Error("circular link");
      b = x, x = /* @__PURE__ */ new Set();
    }
  }
  function P({ nodes: f }) {
    const _ = f.length;
    let b = new Set(f), x = /* @__PURE__ */ new Set(), w = 0;
    for (; b.size; ) {
      for (const k of b) {
        k.height = w;
        for (const { source: E } of k.targetLinks)
          x.add(E);
      }
      if (++w > _) throw new Error("circular link");
      b = x, x = /* @__PURE__ */ new Set();
    }
  }
  function R({ nodes: f }) {
    const _ = ni(f, (w) => w.depth) + 1, b = (t - n - i) / (_ - 1), x = new Array(_);
    for (const w of f) {
      const k = Math.max(0, Math.min(_ - 1, Math.floor(l.call(null, w, _))));
      w.layer = k, w.x0 = n + k * b, w.x1 = w.x0 + i, x[k] ? x[k].push(w) : x[k] = [w];
    }
    if (c) for (const w of x)
      w.sort(c);
    return x;
  }
  function ze(f) {
    const _ = Al(f, (b) => (s - e - (b.length - 1) * a) / pn(b, mn));
    for (const b of f) {
      let x = e;
      for (const w of b) {
        w.y0 = x, w.y1 = x + w.value * _, x = w.y1 + a;
        for (const k of w.sourceLinks)
          k.width = k.value * _;
      }
      x = (s - x + a) / (b.length + 1);
      for (let w = 0; w < b.length; ++w) {
        const k = b[w];
        k.y0 += x * (w + 1), k.y1 += x * (w + 1);
      }
      yo(b);
    }
  }
  function fo(f) {
    const _ = R(f);
    a = Math.min(o, (s - e) / (ni(_, (b) => b.length) - 1)), ze(_);
    for (let b = 0; b < y; ++b) {
      const x = Math.pow(0.99, b), w = Math.max(1 - x, (b + 1) / y);
      go(_, x, w), vo(_, x, w);
    }
  }
  function vo(f, _, b) {
    for (let x = 1, w = f.length; x < w; ++x) {
      const k = f[x];
      for (const E of k) {
        let De = 0, ue = 0;
        for (const { source: Ve, value: Xt } of E.targetLinks) {
          let We = Xt * (E.layer - Ve.layer);
          De += wo(Ve, E) * We, ue += We;
        }
        if (!(ue > 0)) continue;
        let Be = (De / ue - E.y0) * _;
        E.y0 += Be, E.y1 += Be, ms(E);
      }
      c === void 0 && k.sort(It), hs(k, b);
    }
  }
  function go(f, _, b) {
    for (let x = f.length, w = x - 2; w >= 0; --w) {
      const k = f[w];
      for (const E of k) {
        let De = 0, ue = 0;
        for (const { target: Ve, value: Xt } of E.sourceLinks) {
          let We = Xt * (Ve.layer - E.layer);
          De += bo(E, Ve) * We, ue += We;
        }
        if (!(ue > 0)) continue;
        let Be = (De / ue - E.y0) * _;
        E.y0 += Be, E.y1 += Be, ms(E);
      }
      c === void 0 && k.sort(It), hs(k, b);
    }
  }
  function hs(f, _) {
    const b = f.length >> 1, x = f[b];
    ps(f, x.y0 - a, b - 1, _), us(f, x.y1 + a, b + 1, _), ps(f, s, f.length - 1, _), us(f, e, 0, _);
  }
  function us(f, _, b, x) {
    for (; b < f.length; ++b) {
      const w = f[b], k = (_ - w.y0) * x;
      k > 1e-6 && (w.y0 += k, w.y1 += k), _ = w.y1 + a;
    }
  }
  function ps(f, _, b, x) {
    for (; b >= 0; --b) {
      const w = f[b], k = (w.y1 - _) * x;
      k > 1e-6 && (w.y0 -= k, w.y1 -= k), _ = w.y0 - a;
    }
  }
  function ms({ sourceLinks: f, targetLinks: _ }) {
    if (h === void 0) {
      for (const { source: { sourceLinks: b } } of _)
        b.sort(ii);
      for (const { target: { targetLinks: b } } of f)
        b.sort(si);
    }
  }
  function yo(f) {
    if (h === void 0)
      for (const { sourceLinks: _, targetLinks: b } of f)
        _.sort(ii), b.sort(si);
  }
  function wo(f, _) {
    let b = f.y0 - (f.sourceLinks.length - 1) * a / 2;
    for (const { target: x, width: w } of f.sourceLinks) {
      if (x === _) break;
      b += w + a;
    }
    for (const { source: x, width: w } of _.targetLinks) {
      if (x === f) break;
      b -= w;
    }
    return b;
  }
  function bo(f, _) {
    let b = _.y0 - (_.targetLinks.length - 1) * a / 2;
    for (const { source: x, width: w } of _.targetLinks) {
      if (x === f) break;
      b += w + a;
    }
    for (const { target: x, width: w } of f.sourceLinks) {
      if (x === _) break;
      b -= w;
    }
    return b;
  }
  return g;
}
const Ke = 24, ie = 10, Pt = 560, Tl = 44, Il = 42, Pl = 180, Ll = 0.34, ql = 560, fn = 8, Hl = 0.42, Rl = 0.36, jl = (n) => n < Pt ? 7 : n < 1e3 ? 9 : 12;
function Nl(n, e) {
  const t = Math.max(1, ...n.columns.map((i) => i.length)), s = e < Pt ? 0 : Math.min(ql, Math.round(e * Ll));
  return Math.max(Pl, s, t * (e < Pt ? Il : Tl));
}
function Ul(n, e) {
  const t = Nl(n, e);
  if (n.streams.length === 0 || e < 3 * ie)
    return { width: e, height: t, nodes: [], streams: [] };
  const s = n.columns.length - 1, i = new Map(n.columns.flatMap((r) => r.map(({ id: l }, c) => [l, c]))), o = Cl().nodeId(({ node: r }) => r.id).nodeAlign(({ node: r }) => r.column).nodeSort((r, l) => i.get(r.node.id) - i.get(l.node.id)).nodeWidth(ie).nodePadding(Ke).extent([
    [0, Ke / 2],
    [e, t - Ke / 2]
  ])({
    nodes: n.columns.flat().map((r) => ({ node: r })),
    links: n.streams.flatMap(
      (r) => r.nodes.slice(1).map((l, c) => ({
        source: r.nodes[c],
        target: l,
        value: r.bytes,
        stream: r,
        part: c
      }))
    )
  }), a = so(e, s);
  return {
    width: e,
    height: t,
    nodes: o.nodes.map((r) => zl(r.node, r.y0, r.y1, a, e)),
    streams: o.links.map(({ stream: r, part: l, y0: c, y1: h, width: d }) => ({
      id: `${r.id}#${l}`,
      stream: r,
      path: Dl(a[l] + ie, c, a[l + 1], h),
      width: d
    }))
  };
}
function so(n, e) {
  const t = n - ie, s = n < Pt ? Rl : Hl;
  return Array.from(
    { length: e + 1 },
    (i, o) => Math.round(o === 0 ? 0 : o === e ? t : t * s)
  );
}
function zl(n, e, t, s, i) {
  const { column: o } = n, a = s[o], r = o === s.length - 1, l = (r ? i - ie : s[o + 1]) - (r ? s[o - 1] : a) - ie, c = o >= s.length - 2 ? l / 2 : l;
  return {
    node: n,
    x: a,
    y: ne(e),
    height: Math.max(2, ne(t - e)),
    label: {
      x: r ? a - fn : a + ie + fn,
      y: ne((e + t) / 2),
      anchor: r ? "end" : "start",
      width: Math.max(0, Math.floor(c - fn * 1.5))
    }
  };
}
function Dl(n, e, t, s) {
  const i = ne((n + t) / 2);
  return `M${n},${ne(e)}C${i},${ne(e)} ${i},${ne(s)} ${t},${ne(s)}`;
}
const ne = (n) => Math.round(n * 10) / 10, Bl = 150;
function Vl(n, e, t) {
  const { nodes: s, streams: i, height: o } = Ul(n, e), a = n.columns[0].map(({ id: l }) => l), r = Wn({ height: `${o}px` });
  return u`<div
    class=${$e({ map: !0, singled: t.chosen !== null })}
    style=${r}
    role="group"
    aria-label=${t.label}
    @pointerleave=${() => t.onHover(null)}
  >
    <svg
      viewBox=${`0 0 ${e} ${o}`}
      width=${e}
      height=${o}
      aria-hidden="true"
      @click=${() => t.pinned && t.onPin(t.pinned)}
    >
      ${B(
    a,
    (l) => l,
    (l) => Ce`<g class="source" stroke=${t.colours.get(l) ?? "currentColor"}>
          ${B(
      i.filter(({ stream: c }) => c.nodes[0] === l),
      ({ id: c }) => c,
      (c) => Wl(c, t)
    )}
        </g>`
  )}
      ${B(
    s,
    ({ node: l }) => l.id,
    (l) => Fl(l, t)
  )}
    </svg>
    ${B(
    s,
    ({ node: l }) => l.id,
    (l) => Gl(l, t)
  )}
  </div>`;
}
const Fn = (n, e) => {
  n.pointerType === "mouse" && e();
};
function Wl({ stream: n, path: e, width: t }, s) {
  return Ce`<path
    class=${$e({ stream: !0, faded: s.chosen !== null && !s.chosen.has(n.id) })}
    d=${e}
    stroke-width=${Math.max(1, t)}
    @pointerenter=${(i) => Fn(i, () => s.onHover(n.id))}
    @click=${(i) => {
    i.stopPropagation(), s.onPin(n.id);
  }}
  ></path>`;
}
function Fl({ node: n, x: e, y: t, height: s }, i) {
  return Ce`<rect
    class=${$e({ bar: !0, faded: i.chosen !== null && !i.chosen.has(n.id) })}
    x=${e}
    y=${t}
    width=${ie}
    height=${s}
    rx="2"
    fill=${i.colours.get(n.id) ?? "currentColor"}
    @pointerenter=${(o) => Fn(o, () => i.onHover(n.id))}
    @click=${(o) => {
    o.stopPropagation(), i.onPin(n.id);
  }}
  ></rect>`;
}
function Gl({ node: n, label: { x: e, y: t, anchor: s, width: i } }, o) {
  const a = o.name(n), r = s === "end", { amount: l, shown: c, spoken: h } = o.describe(n.id);
  return u`<button
    class=${$e({
    label: !0,
    end: r,
    known: n.label !== null,
    faded: o.chosen !== null && !o.chosen.has(n.id)
  })}
    style=${Wn({
    "max-width": `${i}px`,
    height: `${Ke}px`,
    transform: `translate(${e}px, ${t - Ke / 2}px)${r ? " translateX(-100%)" : ""}`
  })}
    data-node=${n.id}
    tabindex=${o.reached === n.id ? 0 : -1}
    aria-pressed=${o.pinned === n.id}
    aria-label=${h}
    title=${c}
    @pointerenter=${(d) => Fn(d, () => o.onHover(n.id))}
    @focus=${() => o.onReach(n.id)}
    @click=${() => o.onPin(n.id)}
  >
    <span class="name">${a}</span>
    ${i >= Bl ? u`<span class="amount">${l}</span>` : m}
  </button>`;
}
const ri = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#999933",
  "#8a6fd1"
];
class Yl {
  constructor() {
    this.given = /* @__PURE__ */ new Map();
  }
  /** Return the colours of those that are shown; the others are forgotten, so that theirs are free. */
  of(e) {
    for (const t of [...this.given.keys()]) e.includes(t) || this.given.delete(t);
    for (const t of e) this.given.has(t) || this.given.set(t, this.rarest());
    return new Map(e.map((t) => [t, ri[this.given.get(t)]]));
  }
  rarest() {
    const e = ri.map(() => 0);
    for (const t of this.given.values()) e[t]++;
    return e.indexOf(Math.min(...e));
  }
}
const Kt = { "1h": 3600, "24h": 86400, "7d": 7 * 86400, "30d": 30 * 86400 }, Gn = ["application", "domain"], Yn = ["country", "network", "domain", "peer"];
function Kl(n) {
  const e = [
    ["period", Object.keys(Kt)],
    ["middle", Gn],
    ["end", Yn]
  ];
  for (const [t, s] of e) {
    const i = n[t];
    if (i !== void 0 && !s.includes(i)) throw new Error(`${t} is none of ${s.join(", ")}`);
  }
  return n;
}
const Ql = (n) => n === "1h" ? 5e3 : 15e3, vn = (n, e) => ({
  select: { mode: "dropdown", options: n.map((t) => ({ value: t, label: e(t) })) }
});
function Zl() {
  const n = v(void 0), e = (t) => n(`map.column.${t}`);
  return {
    schema: [
      { name: "title", selector: { text: {} } },
      { name: "period", selector: vn(Object.keys(Kt), (t) => n(`map.period.${t}`)) },
      { name: "middle", selector: vn(Gn, e) },
      { name: "end", selector: vn(Yn, e) },
      { name: "device_id", selector: { device: { filter: { integration: T } } } },
      { name: "entry_id", selector: { config_entry: { integration: T } } }
    ],
    computeLabel: ({ name: t }) => n(`map.field.${t}`)
  };
}
const io = "others", Xl = "unknown", Jl = 1.25, Lt = (n) => n.id === `${n.column}:${io}`, $n = () => ({ upload_bytes: 0, download_bytes: 0, flows: 0 });
function xn(n, e) {
  n.upload_bytes += e.upload_bytes, n.download_bytes += e.download_bytes, n.flows += e.flows;
}
const Oe = (n) => n.upload_bytes + n.download_bytes;
function ec(n, e, t, s = /* @__PURE__ */ new Set()) {
  const i = n.rows.filter((h) => Oe(h) > 0).map((h) => tc(h, e)), o = nc(n);
  Oe(o) > 0 && i.push({
    row: o,
    values: e.map(() => {
    }),
    names: e.map(() => null),
    deviceId: null
  });
  const a = e.map((h, d) => sc(i, d, t, s)), r = /* @__PURE__ */ new Map(), l = /* @__PURE__ */ new Map();
  for (const h of i) {
    const d = h.values.map((g, $) => {
      const A = ic($, g, a[$]), H = g != null && a[$].has(g);
      let P = r.get(A);
      if (P === void 0) {
        const R = H ? h.names[$] ?? g : null, ze = H && $ === 0 ? h.deviceId : null;
        P = { node: { id: A, column: $, label: R, deviceId: ze }, sums: $n(), values: /* @__PURE__ */ new Set() }, r.set(A, P);
      }
      return xn(P.sums, h.row), P.values.add(g), A;
    }), p = JSON.stringify(d), y = l.get(p) ?? { nodes: d, sums: $n() };
    l.set(p, y), xn(y.sums, h.row);
  }
  const c = [...r.values()].map(({ node: h, sums: d, values: p }) => ({
    ...h,
    ...d,
    bytes: Oe(d),
    joined: p.has(void 0) ? null : p.size
  }));
  return {
    columns: e.map((h, d) => c.filter((p) => p.column === d).sort(oc)),
    streams: [...l].map(([h, { nodes: d, sums: p }]) => ({
      id: h,
      nodes: d,
      ...p,
      bytes: Oe(p)
    })),
    bytes: i.reduce((h, d) => h + Oe(d.row), 0)
  };
}
function tc(n, e) {
  return {
    row: n,
    values: e.map((t) => {
      const s = n[t];
      return s == null || s === "" ? null : s;
    }),
    names: e.map((t) => t === "mac" && n.name ? n.name : null),
    deviceId: n.device_id ?? null
  };
}
function nc({ rows: n, ...e }) {
  const t = $n();
  for (const s of n)
    xn(t, s);
  return {
    upload_bytes: Math.max(0, e.upload_bytes - t.upload_bytes),
    download_bytes: Math.max(0, e.download_bytes - t.download_bytes),
    flows: Math.max(0, e.flows - t.flows)
  };
}
function sc(n, e, t, s) {
  const i = /* @__PURE__ */ new Map();
  let o = !1;
  for (const { row: c, values: h } of n) {
    const d = h[e];
    d === void 0 ? o = !0 : i.set(d, (i.get(d) ?? 0) + Oe(c));
  }
  const a = (c, h) => s.has(oo(e, c)) ? h * Jl : h, r = [...i].sort(([c, h], [d, p]) => a(d, p) - a(c, h)), l = i.size + (o ? 1 : 0) > t ? t - 1 : t;
  return new Set(r.slice(0, Math.max(l, 1)).map(([c]) => c));
}
const oo = (n, e) => e === null ? `${n}:${Xl}` : `${n}:=${e}`;
function ic(n, e, t) {
  return e === void 0 || !t.has(e) ? `${n}:${io}` : oo(n, e);
}
function oc(n, e) {
  return Number(Lt(n)) - Number(Lt(e)) || e.bytes - n.bytes || (n.id < e.id ? -1 : n.id > e.id ? 1 : 0);
}
function gn(n, e) {
  const t = n.streams.filter(({ id: s, nodes: i }) => s === e || i.some((o) => o === e));
  return t.length ? new Set(t.flatMap(({ id: s, nodes: i }) => [s, ...i])) : null;
}
const ac = q`
  :host {
    container-type: inline-size;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    padding-right: 12px;
  }
  .head .card-title {
    flex: 1 1 120px;
    padding-bottom: 12px;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 8px;
    margin-left: auto;
    padding: 8px 0;
  }
  .periods {
    display: flex;
    border-radius: 18px;
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
  }
  .periods button,
  .icon {
    min-height: 36px;
    padding: 0 12px;
    border: none;
    border-radius: 18px;
    font: inherit;
    font-size: 13px;
    cursor: pointer;
    background: none;
    color: var(--secondary-text-color);
  }
  .periods button[aria-pressed="true"] {
    background: color-mix(in srgb, var(--primary-color) 20%, transparent);
    color: var(--primary-text-color);
    font-weight: 500;
  }
  .icon {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    width: 36px;
    padding: 0;
  }
  .icon svg {
    width: 20px;
    height: 20px;
    fill: currentColor;
  }
  button:hover {
    color: var(--primary-text-color);
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 1px;
  }
  .frame {
    margin: 0 16px 16px;
    min-height: 120px;
  }
  .columns {
    display: grid;
    grid-template-columns: var(--middle) minmax(0, 1fr) minmax(0, 1fr);
    column-gap: 8px;
    align-items: center;
    min-height: 36px;
    margin-bottom: 4px;
    color: var(--secondary-text-color);
    font-size: 13px;
    font-weight: 500;
  }
  select.column {
    min-width: 0;
    min-height: 32px;
    max-width: 100%;
    padding: 0 4px;
    border: none;
    border-radius: 8px;
    font: inherit;
    cursor: pointer;
    color: inherit;
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
    text-overflow: ellipsis;
  }
  select option {
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
  }
  .middle.column {
    justify-self: start;
  }
  .end.column {
    justify-self: end;
  }
  .map {
    position: relative;
  }
  .map svg {
    position: absolute;
    inset: 0;
    color: var(--disabled-text-color, #9e9e9e);
    overflow: visible;
  }
  .source {
    opacity: 0.5;
  }
  .stream {
    fill: none;
    cursor: pointer;
    transition:
      d 0.6s ease,
      stroke-width 0.6s ease,
      stroke-opacity 0.2s ease;
  }
  .stream.faded {
    stroke-opacity: 0.14;
  }
  .singled .source {
    opacity: 0.7;
  }
  .bar {
    cursor: pointer;
    transition:
      y 0.6s ease,
      height 0.6s ease,
      opacity 0.2s ease;
  }
  .bar.faded {
    opacity: 0.3;
  }
  .label {
    position: absolute;
    top: 0;
    left: 0;
    display: flex;
    align-items: center;
    gap: 6px;
    margin: 0;
    padding: 0 4px;
    border: none;
    border-radius: 6px;
    font: inherit;
    font-size: 13px;
    line-height: 20px;
    white-space: nowrap;
    cursor: pointer;
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--card-background-color, #fff) 72%, transparent);
    transition:
      transform 0.6s ease,
      opacity 0.2s ease;
  }
  .label:not(.known) .name {
    color: var(--secondary-text-color);
    font-style: italic;
  }
  .label[aria-pressed="true"] {
    background: color-mix(in srgb, var(--primary-color) 24%, var(--card-background-color, #fff));
  }
  .label.faded {
    opacity: 0.4;
  }
  .name {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .amount {
    flex: none;
    color: var(--secondary-text-color);
    font-size: 12px;
  }
  .caption {
    display: flex;
    flex-wrap: wrap;
    align-content: start;
    gap: 0 8px;
    min-height: 32px;
    margin: 12px 0 0;
    overflow-wrap: anywhere;
  }
  .hint {
    opacity: 0.85;
  }
  .scroll {
    max-height: 480px;
    overflow: auto;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 13px;
  }
  th,
  td {
    max-width: 180px;
    padding: 8px 8px 8px 0;
    overflow: hidden;
    text-align: start;
    text-overflow: ellipsis;
    white-space: nowrap;
    border-bottom: 1px solid var(--divider-color);
  }
  th {
    position: sticky;
    top: 0;
    color: var(--secondary-text-color);
    font-weight: 500;
    background: var(--card-background-color, #fff);
  }
  tfoot :is(th, td) {
    position: sticky;
    bottom: 0;
    font-weight: 500;
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
    border-bottom: none;
  }
  .number {
    padding-inline: 12px 0;
    text-align: end;
  }
  @container (max-width: 480px) {
    th,
    td {
      max-width: 96px;
      font-size: 12px;
    }
    .head {
      padding: 0 16px;
    }
    .head .card-title {
      padding: 16px 0 0;
      flex-basis: 100%;
    }
    .tools {
      flex: 1;
      justify-content: space-between;
      margin-left: 0;
    }
    .periods button {
      padding: 0 9px;
      font-size: 12px;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
    }
  }
`, li = 80, rc = (n, e) => e, lc = {
  country: Hn,
  application: (n, e) => dt(e)
};
function qt(n, e, t) {
  const s = v(n);
  if (Lt(e)) return e.joined === null ? s("map.others") : s("map.others.count", { count: e.joined });
  const i = t[e.column];
  if (e.label === null || i === "application" && e.label === "unknown") return s(`map.unknown.${i}`);
  const o = (lc[i] ?? rc)(n, e.label);
  return o.length > li ? `${o.slice(0, li)}…` : o;
}
function ci(n, e, t, s) {
  const i = v(n), o = e.columns.flat(), a = o.find(({ id: y }) => y === t), r = e.streams.find(({ id: y }) => y === t), l = a ?? r ?? cc(e), c = a ? qt(n, a, s) : r ? r.nodes.map((y) => qt(n, o.find((g) => g.id === y), s)).join(" → ") : i("map.all"), h = C(n, l.bytes), d = Ot(n, e.bytes ? l.bytes / e.bytes : 0), p = [
    `${i("map.upload")} ${C(n, l.upload_bytes)}`,
    `${i("map.download")} ${C(n, l.download_bytes)}`
  ];
  return {
    amount: h,
    shown: [c, a || r ? `${h} (${d})` : h, ...p].join(" · "),
    spoken: a ? i("map.node", { column: i(`map.column.${s[a.column]}`), name: c, amount: h, share: d }) : `${c}, ${h}`
  };
}
function cc(n) {
  const e = (t) => n.streams.reduce((s, i) => s + i[t], 0);
  return { bytes: n.bytes, upload_bytes: e("upload_bytes"), download_bytes: e("download_bytes") };
}
function dc(n, e, t) {
  const s = v(n), i = new Map(e.columns.flat().map((r) => [r.id, r])), o = [...e.streams].sort((r, l) => l.bytes - r.bytes), a = (r) => o.reduce((l, c) => l + c[r], 0);
  return u`<div class="scroll" tabindex="0" role="region" aria-label=${s("map.label")}>
    <table>
      <thead>
        <tr>
          ${t.map((r) => u`<th scope="col">${s(`map.column.${r}`)}</th>`)}
          <th scope="col" class="number">${s("map.upload")}</th>
          <th scope="col" class="number">${s("map.download")}</th>
        </tr>
      </thead>
      <tbody>
        ${o.map(
    (r) => u`<tr>
            ${r.nodes.map((l) => u`<td>${qt(n, i.get(l), t)}</td>`)}
            <td class="number">${C(n, r.upload_bytes)}</td>
            <td class="number">${C(n, r.download_bytes)}</td>
          </tr>`
  )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colspan=${t.length}>${s("map.all")}</th>
          <td class="number">${C(n, a("upload_bytes"))}</td>
          <td class="number">${C(n, a("download_bytes"))}</td>
        </tr>
      </tfoot>
    </table>
  </div>`;
}
const hc = 500;
class uc {
  constructor(e) {
    this.host = e, this.config = {}, this.inPage = !1, this.turn = 0, this.lacksCountries = !1, this.onVisibility = () => document.hidden ? this.stop() : this.start(), e.addController(this);
  }
  hostConnected() {
    this.inPage = !0, document.addEventListener("visibilitychange", this.onVisibility), this.start();
  }
  hostDisconnected() {
    this.inPage = !1, document.removeEventListener("visibilitychange", this.onVisibility), this.stop();
  }
  /** Ask for something else, at once. */
  ask(e, t) {
    this.asked = e, this.config = t, this.lacksCountries = !1, this.start();
  }
  /** Begin, once there is everything to ask with. */
  start() {
    this.stop();
    const { hass: e } = this.host;
    this.inPage && this.asked && e && U(e) && !document.hidden && this.next(++this.turn);
  }
  stop() {
    clearTimeout(this.timer), this.turn++;
  }
  async next(e) {
    const t = this.asked;
    try {
      const s = await this.fetch(t);
      if (e !== this.turn) return;
      this.answer = s, this.problem = void 0;
    } catch (s) {
      if (e !== this.turn) return;
      this.problem = bi(s) ? { absent: !0 } : { absent: !1, reason: X(s) };
    }
    this.host.requestUpdate(), this.timer = setTimeout(() => void this.next(e), Ql(t.period));
  }
  async fetch({ period: e, middle: t, end: s }) {
    const i = async (r) => {
      const l = ["mac", t, r];
      return { usage: await this.host.hass.callWS({
        type: "hearthwall/usage",
        // Twice the same column says no more than once
        by: [...new Set(l)],
        since: Kt[e],
        limit: hc,
        ...this.config.entry_id ? { entry_id: this.config.entry_id } : {},
        ...this.config.device_id ? { device_id: this.config.device_id } : {}
      }), dimensions: l };
    }, o = t === "domain" ? "peer" : "domain";
    if (s !== null) return i(s);
    if (this.lacksCountries) return i(o);
    const a = await i("country");
    return !a.usage.rows.length || a.usage.rows.some(({ country: r }) => r) ? a : (this.lacksCountries = !0, i(o));
  }
}
var pc = Object.defineProperty, K = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && pc(e, t, i), i;
};
const ss = class ss extends I {
  constructor() {
    super(...arguments), this.period = "24h", this.middle = "application", this.end = null, this.width = 0, this.asTable = !1, this.pinned = null, this.hovered = null, this.reached = null, this.usage = new uc(this), this.colours = new Yl(), this.observed = null, this.pin = (e) => {
      this.pinned = this.pinned === e ? null : e, this.hovered = null, e && this.graph?.columns.flat().some((t) => t.id === e) && (this.reached = e);
    }, this.onKey = (e) => {
      if (e.key === "Escape" && this.pinned) {
        e.stopPropagation(), this.pinned = this.hovered = null;
        return;
      }
      const t = e.composedPath()[0]?.dataset?.node, s = t && this.graph ? fc(this.graph, t, e.key) : void 0;
      s !== void 0 && (e.preventDefault(), this.reached = s, this.updateComplete.then(() => {
        [...this.renderRoot.querySelectorAll("[data-node]")].find(({ dataset: o }) => o.node === s)?.focus();
      }));
    };
  }
  static getConfigForm() {
    return Zl();
  }
  static getStubConfig() {
    return { period: "24h" };
  }
  setConfig(e) {
    this.config = Kl(e), this.period = e.period ?? "24h", this.middle = e.middle ?? "application", this.end = e.end ?? null, this.ask();
  }
  getCardSize() {
    return 9;
  }
  getGridOptions() {
    return { columns: "full", rows: "auto", min_columns: 6 };
  }
  connectedCallback() {
    super.connectedCallback(), this.observer = new ResizeObserver(([e]) => {
      this.width = Math.floor(e?.contentRect.width ?? 0);
    }), this.observe();
  }
  disconnectedCallback() {
    super.disconnectedCallback(), this.observer?.disconnect(), this.observed = null;
  }
  updated() {
    this.observe();
  }
  /** Follow the width of the frame, as soon as there is one. */
  observe() {
    const e = this.renderRoot?.querySelector(".frame") ?? null;
    !e || e === this.observed || (this.observed = e, this.observer?.observe(e));
  }
  ask() {
    this.usage.ask({ period: this.period, middle: this.middle, end: this.end }, this.config ?? {});
  }
  willUpdate(e) {
    e.has("hass") && !e.get("hass") && this.usage.start();
    const { answer: t } = this.usage;
    if (!t || !this.width) return;
    const s = new Set(this.graph?.columns.flat().map(({ id: o }) => o));
    this.graph = ec(t.usage, t.dimensions, jl(this.width), s), this.pinned && !gn(this.graph, this.pinned) && (this.pinned = null);
    const i = this.graph.columns.flat().map(({ id: o }) => o);
    (!this.reached || !i.includes(this.reached)) && (this.reached = i[0] ?? null);
  }
  render() {
    if (!this.config || !this.hass) return m;
    const e = v(this.hass);
    return u`
      <ha-card @keydown=${this.onKey}>
        <div class="head">
          <h2 class="card-title">${this.config.title ?? e("map.title")}</h2>
          <div class="tools">
            <div class="periods" role="group" aria-label=${e("map.period")}>
              ${Object.keys(Kt).map(
      (t) => u`<button
                  aria-pressed=${t === this.period}
                  @click=${() => this.choosePeriod(t)}
                >
                  ${e(`map.period.${t}`)}
                </button>`
    )}
            </div>
            <button
              class="icon"
              aria-label=${e(this.asTable ? "map.chart" : "map.table")}
              title=${e(this.asTable ? "map.chart" : "map.table")}
              @click=${() => this.asTable = !this.asTable}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${this.asTable ? vr : xr}></path></svg>
            </button>
          </div>
        </div>
        ${this.problemText()}
        <div class="frame">${this.body()}</div>
      </ha-card>
    `;
  }
  problemText() {
    const { problem: e, answer: t } = this.usage, s = v(this.hass);
    return !e || !t || e.absent ? m : u`<p class="notice" role="status">${s("map.lost", { reason: e.reason })}</p>`;
  }
  body() {
    const e = this.hass, t = v(e), { answer: s, problem: i } = this.usage, o = (h) => u`<p class="message" role="status">${h}</p>`;
    if (!U(e)) return o(t("map.admin"));
    if (!s && i) return o(i.absent ? t("map.absent") : t("map.lost", { reason: i.reason }));
    if (!s || !this.graph) return o(t("map.waiting"));
    const a = u`<div class="columns" style=${Wn({ "--middle": `${so(this.width, 2)[1]}px` })}>
      <span class="column">${t("map.column.mac")}</span>
      ${this.columnChoice("middle", Gn, s.dimensions[1] ?? this.middle)}
      ${this.columnChoice("end", Yn, s.dimensions[2] ?? "country")}
    </div>`;
    if (!this.graph.streams.length) return u`${a}${o(t("map.empty"))}`;
    if (this.asTable) return u`${a}${dc(e, this.graph, s.dimensions)}`;
    const r = this.pinned ?? this.hovered, { columns: l } = this.graph, c = this.colours.of(l[0].filter((h) => !Lt(h)).map(({ id: h }) => h));
    return u`
      ${a}
      ${Vl(this.graph, this.width, {
      label: t("map.label"),
      colours: c,
      chosen: gn(this.graph, r),
      pinned: this.pinned,
      reached: this.reached,
      name: (h) => qt(e, h, s.dimensions),
      describe: (h) => ci(e, this.graph, h, s.dimensions),
      onPin: this.pin,
      onHover: (h) => this.hovered = h,
      onReach: (h) => this.reached = h
    })}
      <p class=${$e({ caption: !0, secondary: !0 })} aria-live="polite">
        ${ci(e, this.graph, gn(this.graph, r) ? r : null, s.dimensions).shown}
        ${r ? m : u`<span class="hint">${t("map.hint")}</span>`}
      </p>
    `;
  }
  columnChoice(e, t, s) {
    const i = v(this.hass);
    return u`<select
      class=${$e({ column: !0, [e]: !0 })}
      aria-label=${i(e === "middle" ? "map.column.middle" : "map.column.end")}
      @change=${(o) => this.chooseColumn(e, o.target.value)}
    >
      ${t.map(
      (o) => u`<option value=${o} ?selected=${o === s}>${i(`map.column.${o}`)}</option>`
    )}
    </select>`;
  }
  choosePeriod(e) {
    this.period = e, this.ask();
  }
  chooseColumn(e, t) {
    e === "middle" ? this.middle = t : this.end = t, this.pinned = this.hovered = null, this.ask();
  }
};
ss.styles = [W, ac];
let D = ss;
K([
  M({ attribute: !1 })
], D.prototype, "hass");
K([
  S()
], D.prototype, "config");
K([
  S()
], D.prototype, "period");
K([
  S()
], D.prototype, "middle");
K([
  S()
], D.prototype, "end");
K([
  S()
], D.prototype, "width");
K([
  S()
], D.prototype, "asTable");
K([
  S()
], D.prototype, "pinned");
K([
  S()
], D.prototype, "hovered");
K([
  S()
], D.prototype, "reached");
const mc = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0]
};
function fc({ columns: n }, e, t) {
  const s = mc[t], i = n.findIndex((r) => r.some(({ id: l }) => l === e));
  if (!s || i < 0) return;
  const o = n[i].findIndex(({ id: r }) => r === e), a = n[i + s[0]];
  return a?.[s[0] ? Math.min(o, a.length - 1) : o + s[1]]?.id;
}
const vc = { "hearthwall-flow-map-card": D };
function gc() {
  const n = v(void 0);
  return {
    type: "hearthwall-flow-map-card",
    name: n("map.name"),
    description: n("map.description"),
    preview: !0
  };
}
var yc = Object.defineProperty, Qt = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && yc(e, t, i), i;
};
const wc = 15e3, is = class is extends I {
  constructor() {
    super(...arguments), this.problem = "", this.live = new Re(this), this.asked = "";
  }
  setConfig(e) {
    this.config = e, this.asked = "";
  }
  static getStubConfig() {
    return {};
  }
  static getConfigForm() {
    return {
      schema: [
        { name: "title", selector: { text: {} } },
        { name: "entry_id", selector: { config_entry: { integration: T } } }
      ],
      ...rt()
    };
  }
  getCardSize() {
    return 5;
  }
  getGridOptions() {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }
  connectedCallback() {
    super.connectedCallback(), this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.ask(), wc);
  }
  disconnectedCallback() {
    super.disconnectedCallback(), clearInterval(this.timer), this.asked = "";
  }
  /** The gateway that is named, or the first. */
  get gateway() {
    const e = [...this.live.store?.gateways.values() ?? []], { entry_id: t } = this.config ?? {};
    return t ? e.find(({ entryId: s }) => s === t) : e[0];
  }
  updated() {
    const { gateway: e } = this, t = e ? `${e.entryId} ${e.connected}` : "";
    t !== this.asked && (this.asked = t, this.ask());
  }
  async ask() {
    const { hass: e, gateway: t } = this;
    if (!(!e || !t?.connected || !U(e)))
      try {
        const s = await e.callWS({ type: "hearthwall/gateway", entry_id: t.entryId });
        if (s.entry_id !== this.gateway?.entryId) return;
        this.report = s, this.problem = "";
      } catch (s) {
        this.problem = X(s);
      }
  }
  render() {
    const { hass: e, config: t, gateway: s, report: i } = this;
    if (!e || !t) return m;
    const o = v(e);
    return u`<ha-card>
      <h2 class="card-title">${t.title || s?.name || o("common.gateway")}</h2>
      ${Wt(e, this.live.store) ?? Ft(e, this.live.store, s?.entryId)}
      ${this.problem ? u`<div class="notice" role="status">${this.problem}</div>` : m}
      ${s ? this.renderState(e, s) : m}
      ${U(e) ? i && i.entry_id === s?.entryId ? this.renderReport(e, i) : m : u`<p class="secondary">${o("gateway.admin")}</p>`}
    </ha-card>`;
  }
  renderState(e, { connected: t, stale: s }) {
    const i = v(e), o = t && !s;
    return u`<p class="state">
      <span class="dot ${o ? "good" : "bad"}" aria-hidden="true"></span>
      ${i(o ? "gateway.connected" : s ? "gateway.silent" : "badge.lost")}
    </p>`;
  }
  renderReport(e, t) {
    const s = v(e), i = [
      [s("gateway.sensor"), t.sensor_version],
      [s("gateway.integration"), t.integration_version],
      [s("gateway.uptime"), qn(e, t.uptime)],
      [s("gateway.memory"), C(e, t.memory)],
      [s("gateway.lost"), L(e, t.lost)]
    ];
    return u`<dl>
        ${i.map(([o, a]) => u`<dt>${o}</dt><dd class="wrap">${a}</dd>`)}
      </dl>
      <h3>${s("gateway.interfaces")}</h3>
      <ul>
        ${t.interfaces.map((o) => this.renderInterface(e, o))}
      </ul>
      <h3>${s("gateway.feeds")}</h3>
      ${t.feeds.length ? u`<ul>
            ${t.feeds.map((o) => this.renderFeed(e, o))}
          </ul>` : u`<p class="secondary">${s("gateway.feeds_none")}</p>`}`;
  }
  renderInterface(e, { name: t, role: s, xdp: i }) {
    const o = v(e);
    return u`<li>
      <span class="cut grow" title=${t}>${t}</span>
      <span class="secondary">${o(s === "wan" ? "gateway.role.wan" : "gateway.role.lan")}</span>
      <span class="secondary mode">${o(_e(`gateway.xdp.${i}`) ?? "gateway.xdp.unavailable")}</span>
    </li>`;
  }
  renderFeed(e, t) {
    const s = v(e), i = t.packets ? s("gateway.feed.hits", { packets: L(e, t.packets) }) : s("gateway.feed.no_hits"), o = [
      s(t.action === "drop" ? "gateway.feed.drop" : "gateway.feed.audit"),
      s("gateway.feed.entries", { count: L(e, t.entries) }),
      t.updated === null ? "" : s("gateway.feed.updated", { time: F(e, t.updated) }),
      t.last_hit === null ? "" : s("rules.last_hit", { ago: tt(e, t.last_hit) })
    ];
    return u`<li class="feed">
      <div class="first"><span class="cut grow" title=${t.name}>${t.name}</span><span>${i}</span></div>
      <div class="secondary wrap">${o.filter(Boolean).join(" · ")}</div>
      ${t.last_error ? u`<div class="secondary wrap problem">${t.last_error}</div>` : m}
    </li>`;
  }
};
is.styles = [
  W,
  q`
      h3 {
        margin: 12px 16px 4px;
        font-size: 14px;
        font-weight: 500;
        line-height: 20px;
      }
      p {
        margin: 0;
        padding: 0 16px 12px;
      }
      .state {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .dot {
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: var(--success-color, #43a047);
      }
      .dot.bad {
        background: var(--error-color, #db4437);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 4px 16px;
        margin: 0;
        padding: 0 16px;
        line-height: 20px;
      }
      dt {
        color: var(--secondary-text-color);
      }
      dd {
        margin: 0;
        text-align: end;
      }
      ul {
        margin: 0;
        padding: 0 16px 12px;
        list-style: none;
        line-height: 20px;
      }
      li,
      .first {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 12px;
      }
      li {
        padding: 4px 0;
      }
      .feed {
        display: block;
      }
      .grow {
        flex: 1;
      }
      .wrap {
        overflow-wrap: anywhere;
      }
      .problem {
        color: color-mix(in srgb, var(--error-color, #db4437) 70%, var(--primary-text-color));
      }
    `
];
let xe = is;
Qt([
  M({ attribute: !1 })
], xe.prototype, "hass");
Qt([
  S()
], xe.prototype, "config");
Qt([
  S()
], xe.prototype, "report");
Qt([
  S()
], xe.prototype, "problem");
const bc = { "hearthwall-gateway-card": xe };
function $c() {
  const n = v(void 0);
  return { type: "hearthwall-gateway-card", name: n("gateway.name"), description: n("gateway.description"), preview: !0 };
}
var xc = Object.defineProperty, mt = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && xc(e, t, i), i;
};
const _c = 12e3, os = class os extends I {
  constructor() {
    super(...arguments), this.compact = !1, this.text = "", this.unseen = "", this.onUndo = async () => {
      const { undo: e } = this;
      if (this.undo = void 0, !e) return;
      const t = v(this.hass);
      this.text = t("common.busy");
      try {
        await e(), this.text = t("common.undone");
      } catch (s) {
        this.text = X(s);
      }
      this.hide();
    };
  }
  /** Tell of what the user has just done. */
  show(e, t) {
    this.text = e, this.undo = t, this.hide();
  }
  /** Tell those who do not see the screen of what somebody else did. */
  announce(e) {
    this.unseen = e;
  }
  disconnectedCallback() {
    super.disconnectedCallback(), clearTimeout(this.timer);
  }
  hide() {
    clearTimeout(this.timer), this.timer = setTimeout(() => {
      this.matches(":hover, :focus-within") ? this.hide() : this.text = "";
    }, _c);
  }
  render() {
    return u`
      <div class="bar" ?hidden=${!this.text}>
        <span role="status" class=${this.compact ? this.undo ? "unseen" : "cut" : ""} title=${this.text}>${this.text}</span>
        ${this.undo ? u`<button class="quiet" @click=${this.onUndo}>${v(this.hass)("common.undo")}</button>` : m}
      </div>
      <span class="unseen" role="status">${this.unseen}</span>
    `;
  }
};
os.styles = [
  J,
  W,
  q`
      :host {
        position: relative;
        display: block;
      }
      .bar {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
        margin: 8px 16px 12px;
        padding: 8px 8px 8px 16px;
        border-radius: 12px;
        background: color-mix(in srgb, var(--primary-color) 14%, var(--card-background-color));
        line-height: 20px;
        overflow-wrap: anywhere;
      }
      :host([compact]) .bar {
        height: 100%;
        margin: 0;
        margin-inline-start: 8px;
        padding: 0;
        background: none;
      }
      :host([compact]) button {
        height: 100%;
        border-radius: inherit;
      }
      .bar[hidden] {
        display: none;
      }
    `
];
let ae = os;
mt([
  M({ attribute: !1 })
], ae.prototype, "hass");
mt([
  M({ type: Boolean, reflect: !0 })
], ae.prototype, "compact");
mt([
  S()
], ae.prototype, "text");
mt([
  S()
], ae.prototype, "unseen");
mt([
  S()
], ae.prototype, "undo");
async function kc(n) {
  await customElements.whenDefined("home-assistant");
  for (const [e, t] of Object.entries(n))
    customElements.get(e) || customElements.define(e, t);
}
function ao(n) {
  return Object.defineProperties(n(), {
    name: { get: () => n().name, enumerable: !0 },
    description: { get: () => n().description, enumerable: !0 }
  });
}
function Zt(n, e) {
  const t = new Set(n.map(({ type: s }) => s));
  return n.push(...e.filter(({ type: s }) => !t.has(s))), n;
}
const Ac = 1e4, Sc = (n, e) => e.created - n.created || e.id - n.id;
class Mc {
  constructor(e, t) {
    this.host = e, this.entryId = t, this.problem = "", this.turn = 0, this.live = new Re(e), e.addController(this);
  }
  hostConnected() {
    this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), Ac), this.seen = void 0;
  }
  hostDisconnected() {
    clearInterval(this.timer), this.turn++;
  }
  hostUpdated() {
    const e = this.look();
    e === this.seen || !e || (this.seen = e, this.refresh());
  }
  /** Return what changes with the rules: those of devices as the live rows tell, the others by their number. */
  look() {
    const { hass: e } = this.host, { store: t } = this.live;
    if (!e || !t?.gateways.size) return "";
    const s = [...t.devices()].map(({ row: a }) => `${a.rule?.id ?? ""}${a.quarantined ? "!" : ""}`), i = [...t.gateways.values()].map(({ entryId: a, connected: r }) => `${a}${r}`), o = Object.values(e.entities).filter(({ platform: a, translation_key: r }) => a === T && r === "active_blocks").map(({ entity_id: a }) => e.states[a]?.state);
    return JSON.stringify([s, i, o, this.entryId()]);
  }
  /** Ask again now; a gateway that does not answer keeps its last rules. */
  async refresh() {
    const { hass: e } = this.host, t = this.entryId(), s = [...this.live.store?.gateways.values() ?? []].filter(
      ({ entryId: c, connected: h }) => h && (!t || t === c)
    );
    if (!e || !s.length) return;
    const i = ++this.turn, o = new Map(this.rules?.map((c) => [c.entryId, c])), a = [], r = s.map(async ({ entryId: c, name: h }) => {
      try {
        return { entryId: c, gateway: h, blocks: (await Bt(e, c)).sort(Sc) };
      } catch (d) {
        return a.push(X(d)), o.get(c);
      }
    }), l = (await Promise.all(r)).filter((c) => c !== void 0);
    i === this.turn && (this.rules = l.length || !a.length ? l : this.rules, this.problem = a[0] ?? "", this.host.requestUpdate());
  }
}
var Oc = Object.defineProperty, ft = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && Oc(e, t, i), i;
};
const Ec = 100, as = class as extends I {
  constructor() {
    super(), this.whole = !1, this.data = new Mc(this, () => this.config?.entry_id), new Gt(this, () => this.data.rules?.some(({ blocks: e }) => e.length) ?? !1);
  }
  setConfig(e) {
    this.config = e;
  }
  static getStubConfig() {
    return {};
  }
  static getConfigForm() {
    return {
      schema: [
        { name: "title", selector: { text: {} } },
        { name: "entry_id", selector: { config_entry: { integration: T } } }
      ],
      ...rt()
    };
  }
  getCardSize() {
    return 4;
  }
  getGridOptions() {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }
  render() {
    const { hass: e, config: t } = this;
    if (!e || !t) return m;
    const s = v(e), { store: i } = this.data.live, o = this.data.rules?.reduce((a, { blocks: r }) => a + r.length, 0);
    return u`<ha-card>
      <div class="head">
        <h2 class="card-title">${t.title || s("rules.title")}</h2>
        ${o ? u`<span class="secondary total">${L(e, o)}</span>` : m}
      </div>
      ${Wt(e, i) ?? u`${Ft(e, i, t.entry_id)}
      ${this.data.problem ? u`<div class="notice" role="status">${this.data.problem}</div>` : m}
      ${this.renderRules(e)}`}
      <hearthwall-notice .hass=${e}></hearthwall-notice>
      <hearthwall-confirm .hass=${e}></hearthwall-confirm>
    </ha-card>`;
  }
  renderRules(e) {
    const t = v(e), { rules: s } = this.data;
    if (!s) return this.data.problem ? m : u`<div class="message" role="status">${t("common.loading")}</div>`;
    const i = s.flatMap((a) => a.blocks.map((r) => ({ of: a, block: r })));
    if (!i.length) return u`<div class="message" role="status">${t("rules.none")}</div>`;
    const o = this.whole ? i : i.slice(0, Ec);
    return u`<ul>
        ${B(
      o,
      ({ of: a, block: r }) => `${a.entryId} ${r.id}`,
      ({ of: a, block: r }) => this.renderRule(e, a, r, s.length > 1)
    )}
      </ul>
      ${o.length < i.length ? u`<button class="quiet more" @click=${() => this.whole = !0}>
            ${t("rules.show_rest", { count: L(e, i.length) })}
          </button>` : m}`;
  }
  renderRule(e, { entryId: t, gateway: s }, i, o) {
    const a = v(e), r = Date.now() / 1e3, l = this.data.live.store?.gateways.get(t), { name: c, more: h } = Pr(e, i, l?.devices.values() ?? []), d = Xi(e, i, r), p = l?.connected ?? !1;
    return u`<li>
      <div class="grow">
        <div class="line">
          <b class="cut" title=${i.target}>${c}</b>
          <span class="chip ${i.mode === "isolate" ? "bad" : i.mode === "audit" ? "" : "held"}">${Zi(e, i)}</span>
          ${d ? u`<span class="secondary" role="timer">${d}</span>` : m}
        </div>
        ${h || o ? u`<div class="secondary wrap">${[h, o ? s : ""].filter(Boolean).join(" · ")}</div>` : m}
        <div class="secondary wrap">${Ji(e, i)}</div>
        <div class="secondary wrap">${eo(e, i, r)}</div>
        ${i.enforced ? m : u`<div class="wrap problem">${a("rules.unenforced")}</div>`}
      </div>
      <button
        class="quiet"
        ?disabled=${!p || l?.readOnly}
        aria-label=${a("rules.end_named", { name: c })}
        title=${l?.readOnly ? a("orders.read_only") : p ? "" : a("quarantine.impossible")}
        @click=${() => this.end(e, t, i)}
      >
        ${a("rules.end")}
      </button>
    </li>`;
  }
  end(e, t, s) {
    const { confirm: i, notice: o } = this;
    Yi({ hass: e, confirm: i, notice: o, after: () => this.data.refresh() }, t, s);
  }
};
as.styles = [
  J,
  W,
  q`
      .head {
        display: flex;
        align-items: baseline;
        gap: 8px;
        padding-inline-end: 16px;
      }
      .total {
        font-size: 14px;
      }
      ul {
        margin: 0;
        padding: 0 0 8px;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 10px 16px;
      }
      li + li {
        border-top: 1px solid color-mix(in srgb, var(--hearthwall-line) 60%, transparent);
      }
      .grow {
        flex: 1;
        min-width: 0;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 8px;
        line-height: 22px;
      }
      b {
        font-weight: 500;
        max-width: 100%;
      }
      .wrap {
        overflow-wrap: anywhere;
        line-height: 18px;
      }
      .problem {
        font-size: 12px;
        color: color-mix(in srgb, var(--error-color, #db4437) 70%, var(--primary-text-color));
      }
      .chip {
        padding: 2px 8px;
        border-radius: 10px;
        font-size: 12px;
        line-height: 16px;
        background: color-mix(in srgb, var(--primary-text-color) 10%, transparent);
      }
      .chip.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      .chip.held {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 24%, transparent);
      }
      .more {
        align-self: center;
        margin: 0 0 12px;
      }
    `
];
let re = as;
ft([
  M({ attribute: !1 })
], re.prototype, "hass");
ft([
  S()
], re.prototype, "config");
ft([
  S()
], re.prototype, "whole");
ft([
  j("hearthwall-confirm")
], re.prototype, "confirm");
ft([
  j("hearthwall-notice")
], re.prototype, "notice");
const Cc = { "hearthwall-rules-card": re };
function Tc() {
  const n = v(void 0);
  return { type: "hearthwall-rules-card", name: n("rules.name"), description: n("rules.description"), preview: !0 };
}
var Ic = Object.defineProperty, ro = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && Ic(e, t, i), i;
};
function Pc(n) {
  const e = Object.values(n.entities).filter(({ platform: t, translation_key: s }) => t === T && s === "active_blocks").map(({ entity_id: t }) => Number(n.states[t]?.state)).filter(Number.isFinite);
  return e.length ? e.reduce((t, s) => t + s, 0) : void 0;
}
const rs = class rs extends I {
  constructor() {
    super(...arguments), this.live = new Re(this), this.alerted = new Oi(this);
  }
  setConfig(e) {
    this.config = e;
  }
  static getStubConfig() {
    return {};
  }
  static getConfigForm() {
    return {
      schema: [
        { name: "navigation_path", selector: { navigation: {} } },
        { name: "entry_id", selector: { config_entry: { integration: T } } }
      ],
      ...rt()
    };
  }
  render() {
    const { hass: e, config: t } = this;
    if (!e || !t) return m;
    const s = v(e), { store: i } = this.live, o = ({ entryId: R }) => !t.entry_id || R === t.entry_id, a = to([...i?.devices() ?? []].filter(o)), r = [...i?.gateways.values() ?? []].filter(o), l = i?.missing || r.length > 0 && r.every(({ connected: R }) => !R), c = !l && r.some(({ stale: R, connected: ze }) => R || !ze), h = a.filter((R) => R.quarantined || R.rule).length, d = t.entry_id ? h : Pc(e) ?? h, p = this.alerted.alerts?.all(t.entry_id), y = a.filter((R) => R.online).length, g = r.length ? s("badge.online", { online: L(e, y), all: L(e, a.length) }) : "–", $ = l ? [s(i?.phase === "offline" ? "badge.offline" : "badge.lost")] : [
      g,
      ...c ? [s("badge.silent")] : [],
      ...d ? [s("badge.blocks", { count: L(e, d) })] : [],
      ...p ? [s("badge.alerts", { count: L(e, p.count) })] : []
    ], A = l ? "lost" : p ? p.event.severity : c ? "silent" : d ? "blocking" : "", H = t.navigation_path, P = u`<svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 2 4 5v6c0 5 3.4 9.5 8 11 4.6-1.5 8-6 8-11V5l-8-3z"></path>
      </svg>
      <span class="text">
        <span class="label">Hearthwall</span>
        <span>${$.join(" · ")}</span>
      </span>`;
    return H ? u`<button class="badge ${A}" @click=${() => Vn(H)}>${P}</button>` : u`<div class="badge ${A}">${P}</div>`;
  }
};
rs.styles = [
  W,
  q`
      .badge {
        display: flex;
        width: max-content;
        align-items: center;
        gap: 8px;
        box-sizing: border-box;
        min-height: var(--ha-badge-size, 36px);
        padding: 0 14px 0 10px;
        border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--divider-color, #e0e0e0));
        border-radius: var(--ha-badge-border-radius, calc(var(--ha-badge-size, 36px) / 2));
        background: var(--ha-card-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        font-size: 12px;
        white-space: nowrap;
      }
      .high .label,
      .critical .label,
      .lost .label {
        color: inherit;
      }
      svg {
        width: 18px;
        height: 18px;
        fill: var(--success-color, #43a047);
      }
      .blocking svg {
        fill: var(--warning-color, #ffa600);
      }
      .high {
        border-color: var(--warning-color, #ffa600);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 22%, var(--card-background-color, #fff));
      }
      .high svg {
        fill: var(--warning-color, #ffa600);
      }
      .lost,
      .critical {
        border-color: var(--error-color, #db4437);
        background: color-mix(in srgb, var(--error-color, #db4437) 18%, var(--card-background-color, #fff));
      }
      .lost svg,
      .critical svg {
        fill: var(--error-color, #db4437);
      }
      .silent svg {
        fill: var(--secondary-text-color);
      }
      button {
        font: inherit;
        text-align: start;
        cursor: pointer;
      }
      button:focus-visible {
        outline: 2px solid var(--primary-color);
        outline-offset: 2px;
      }
      .text {
        display: flex;
        flex-direction: column;
        line-height: 16px;
        font-weight: 500;
      }
      .label {
        font-size: 10px;
        line-height: 10px;
        font-weight: 400;
        color: var(--secondary-text-color);
      }
    `
];
let ot = rs;
ro([
  M({ attribute: !1 })
], ot.prototype, "hass");
ro([
  S()
], ot.prototype, "config");
var Lc = Object.defineProperty, vt = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && Lc(e, t, i), i;
};
function Kn(n, e) {
  const t = e === void 0 ? void 0 : n.entities[e];
  return t?.platform === T && t.translation_key === "quarantine";
}
const ls = class ls extends I {
  constructor() {
    super(), this.live = new Re(this), new Gt(this, () => this.device?.row.rule?.expires != null);
  }
  static getStubConfig() {
    return { type: "custom:hearthwall-quarantine-feature" };
  }
  setConfig(e) {
    this.config = e;
  }
  get device() {
    const e = this.hass?.entities[this.context?.entity_id ?? ""];
    return e?.device_id ? this.live.store?.device(e.device_id) : void 0;
  }
  render() {
    const { hass: e, device: t } = this;
    if (!e || !this.config || !Kn(e, this.context?.entity_id)) return m;
    const s = v(e), i = t ? this.live.store?.gateways.get(t.entryId)?.connected ?? !1 : !1, o = t?.row.quarantined ?? !1, a = o ? t?.row.rule?.expires : null;
    return u`
      <button
        class=${o ? "on" : ""}
        ?disabled=${!i}
        title=${i ? "" : s("quarantine.impossible")}
        @click=${() => t && Vt({ hass: e, confirm: this.confirm, notice: this.notice }, t)}
      >
        ${s(o ? "quarantine.release" : "quarantine.confirm")}
        ${a ? u`<span role="timer">${s("common.left", { span: nt(e, a - Date.now() / 1e3) })}</span>` : m}
      </button>
      <hearthwall-confirm .hass=${e}></hearthwall-confirm>
      <hearthwall-notice compact .hass=${e}></hearthwall-notice>
    `;
  }
};
ls.styles = [
  J,
  q`
      :host {
        display: flex;
        height: var(--feature-height, 42px);
      }
      hearthwall-notice {
        flex: 0 1 auto;
        min-width: 0;
        border-radius: var(--feature-border-radius, 12px);
      }
      button {
        flex: 1;
        height: 100%;
        border-radius: var(--feature-border-radius, 12px);
        background: color-mix(in srgb, var(--primary-text-color) 8%, transparent);
        color: var(--primary-text-color);
      }
      button.on {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      [role="timer"] {
        font-variant-numeric: tabular-nums;
        margin-inline-start: 4px;
      }
    `
];
let le = ls;
vt([
  M({ attribute: !1 })
], le.prototype, "hass");
vt([
  M({ attribute: !1 })
], le.prototype, "context");
vt([
  S()
], le.prototype, "config");
vt([
  j("hearthwall-confirm")
], le.prototype, "confirm");
vt([
  j("hearthwall-notice")
], le.prototype, "notice");
var qc = Object.defineProperty, lo = (n, e, t, s) => {
  for (var i = void 0, o = n.length - 1, a; o >= 0; o--)
    (a = n[o]) && (i = a(e, t, i) || i);
  return i && qc(e, t, i), i;
};
const di = 60, Ht = 100, ve = 14, Hc = 2e3, Rc = 2;
function jc(n, e, t, s) {
  const i = (d) => (Math.max(0, 1 - (e - d) / di) * Ht).toFixed(1), o = (d) => (ve - s * Math.sqrt(Math.min(1, d / t)) * (ve - 1)).toFixed(1), a = n.findLastIndex(([d]) => d <= e - di), r = n.slice(Math.max(0, a)), [l] = r, c = r[r.length - 1];
  if (!l || !c || r.every(([, d]) => d <= 0)) return "";
  const h = r.map(([d, p], y) => {
    const [g, $] = r[y - 1] ?? [d, p];
    return `${d - g > Rc ? `L${i(d - 1)} ${o($)}` : ""}L${i(d)} ${o(p)}`;
  });
  return `M${i(l[0])} ${ve}${h.join("")}L${Ht} ${o(c[1])}V${ve}Z`;
}
const cs = class cs extends I {
  constructor() {
    super(...arguments), this.samples = [], this.now = 0;
  }
  render() {
    const e = Math.max(Hc, ...this.samples.flatMap(({ upload: s, download: i }) => [s, i])), t = (s, i) => Ce`<path class=${s} d=${jc(
      this.samples.map((o) => [o.time, o[s]]),
      this.now,
      e,
      i
    )}></path>`;
    return u`<svg viewBox="0 0 ${Ht} ${2 * ve}" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <line x1="0" x2=${Ht} y1=${ve} y2=${ve}></line>
      ${t("download", 1)}${t("upload", -1)}
    </svg>`;
  }
};
cs.styles = q`
    :host {
      display: block;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
    }
    path {
      fill-opacity: 0.35;
      stroke-width: 1.5;
      stroke-linejoin: round;
      vector-effect: non-scaling-stroke;
    }
    .download {
      fill: var(--hearthwall-download);
      stroke: var(--hearthwall-download);
    }
    .upload {
      fill: var(--hearthwall-upload);
      stroke: var(--hearthwall-upload);
    }
    line {
      stroke: var(--hearthwall-line);
      stroke-width: 1;
      vector-effect: non-scaling-stroke;
    }
  `;
let at = cs;
lo([
  M({ attribute: !1 })
], at.prototype, "samples");
lo([
  M({ attribute: !1 })
], at.prototype, "now");
const hi = 60, _n = ({ identifiers: n }) => n?.find(([e]) => e === T)?.[1], ui = (n) => !_n(n).includes(":");
function co(n, e) {
  const t = ct(n), s = /* @__PURE__ */ new Map();
  for (const r of Object.values(n.entities)) {
    if (r.platform !== T || !r.device_id || r.hidden) continue;
    const l = s.get(r.device_id);
    l ? l.push(r) : s.set(r.device_id, [r]);
  }
  const i = Object.values(n.devices).filter((r) => _n(r) && !r.disabled_by), o = (r) => r.map((l) => ({
    id: l.id,
    name: ho(l.name_by_user || l.name || l.id),
    areaId: l.area_id,
    entryId: _n(l).split("_")[0],
    entities: s.get(l.id) ?? []
  })).sort((l, c) => t(l.name, c.name) || (l.id < c.id ? -1 : 1)), a = o(i.filter((r) => !ui(r)));
  return { gateways: o(i.filter(ui)), devices: a, areas: Nc(n, a, e) };
}
function Nc(n, e, t) {
  const s = ct(n), i = Object.values(n.areas), o = new Set(i.map(({ area_id: l }) => l)), a = i.map(({ area_id: l, name: c, icon: h }) => ({
    id: l,
    name: ho(c),
    icon: h ?? null,
    devices: e.filter(({ areaId: d }) => d === l)
  })).sort((l, c) => s(l.name, c.name)), r = e.filter(({ areaId: l }) => l === null || !o.has(l));
  return [...a, { id: null, name: t, icon: null, devices: r }].filter((l) => l.devices.length);
}
const ho = (n) => n.length > hi ? `${n.slice(0, hi)}…` : n, Uc = ({ entities: n }, e) => e.flatMap((t) => n.filter((s) => s.translation_key === t).map((s) => s.entity_id)), ce = (n, e = {}) => ({ type: `custom:hearthwall-${n}-card`, ...e }), Ee = { grid_options: { columns: "full" } }, zc = /* @__PURE__ */ new Set([
  "presence",
  "quarantine",
  "connection",
  "active_blocks",
  "devices_online",
  "download_rate",
  "upload_rate",
  "feed_hits"
]), Dc = ["download_rate", "upload_rate"], Bc = { name: { type: "entity" } }, uo = "device-{device_id}", Vc = ({ id: n }) => uo.replace("{device_id}", n), Wc = 1088, Fc = { docked: 256, auto: 56, always_hidden: 0 };
function Gc(n) {
  const e = Wc + Fc[n.dockedSidebar ?? "docked"], t = (i, o) => ({
    type: "grid",
    column_span: i,
    visibility: o,
    cards: [
      ce("events", {
        // A card that is hidden is taken out of the page and asks for nothing; one in a hidden section is not
        visibility: o,
        grid_options: { columns: "full", rows: "auto" },
        title: v(n)("strategy.newest"),
        limit: 8,
        filters: !1,
        navigation_path: "events"
      })
    ]
  }), s = (i) => [{ condition: "screen", media_query: i }];
  return [t(1, s(`(min-width: ${e}px)`)), t(2, s(`not all and (min-width: ${e}px)`))];
}
function Yc({ hass: n }) {
  return {
    type: "sections",
    max_columns: 3,
    badges: [
      { type: "custom:hearthwall-badge", navigation_path: "devices" }
    ],
    sections: [
      { type: "grid", column_span: 2, cards: [ce("devices", Ee)] },
      ...Gc(n)
    ]
  };
}
function Kc() {
  return { type: "panel", cards: [ce("flow-map")] };
}
function Qc() {
  return {
    type: "sections",
    max_columns: 2,
    sections: [
      { type: "grid", column_span: 2, cards: [ce("events", { grid_options: { columns: "full", rows: "auto" } })] }
    ]
  };
}
function Zc({ home: n }) {
  return {
    type: "sections",
    max_columns: 2,
    dense_section_placement: !0,
    sections: n.areas.map(({ id: e, name: t }) => ({
      type: "grid",
      // Those without an area have the empty one
      cards: [ce("devices", { ...Ee, title: t, area: [e ?? ""], toolbar: !1, navigation_path: uo })]
    }))
  };
}
function Xc({ hass: n, home: e, config: t }) {
  const s = e.devices.find(({ id: i }) => i === t.device_id);
  return s ? {
    type: "sections",
    max_columns: 3,
    sections: [
      { type: "grid", column_span: 2, cards: [ce("device", { ...Ee, device_id: s.id })] },
      {
        type: "grid",
        cards: [
          { type: "heading", heading: v(n)("strategy.entities"), icon: "mdi:format-list-bulleted" },
          ...po(s)
        ]
      }
    ]
  } : { cards: [{ type: "markdown", content: v(n)("strategy.gone") }] };
}
const po = ({ entities: n }) => n.filter(({ translation_key: e }) => !zc.has(e ?? "")).map(({ entity_id: e }) => ({ type: "tile", entity: e, ...Bc }));
function Jc({ hass: n, home: e }) {
  const t = v(n);
  return {
    type: "sections",
    max_columns: 2,
    sections: e.gateways.flatMap((s) => {
      const i = Uc(s, Dc), o = { entry_id: s.entryId }, a = (r) => e.gateways.length > 1 ? { title: `${s.name}: ${r}` } : {};
      return [
        { type: "grid", cards: [ce("gateway", { ...Ee, ...o }), ...po(s)] },
        {
          type: "grid",
          cards: [
            ce("rules", { ...Ee, ...o, ...a(t("rules.title")) }),
            ...i.length ? [{ type: "history-graph", title: t("strategy.rates"), hours_to_show: 24, entities: i, ...Ee }] : []
          ]
        }
      ];
    })
  };
}
const yn = { overview: Yc, map: Kc, events: Qc, devices: Zc, device: Xc, health: Jc };
function ed(n, e) {
  const t = n.view ?? "overview", s = Object.hasOwn(yn, t) ? yn[t] : void 0;
  if (!s) throw new Error(`view is none of ${Object.keys(yn).join(", ")}`);
  const i = co(e, v(e)("strategy.no_area"));
  return i.gateways.length ? s({ hass: e, home: i, config: n }) : mo(e);
}
function mo(n) {
  const e = v(n);
  return {
    type: "sections",
    max_columns: 1,
    sections: [
      {
        type: "grid",
        cards: [
          { type: "heading", heading: e("strategy.welcome"), icon: "mdi:shield-home" },
          {
            type: "markdown",
            content: `${e("strategy.welcome.text")}

[${e("strategy.welcome.link")}](/config/integrations/dashboard/add?domain=hearthwall)`
          }
        ]
      }
    ]
  };
}
const pi = "custom:hearthwall", td = [
  ["overview", "mdi:shield-home"],
  ["map", "mdi:map-marker-path"],
  ["events", "mdi:timeline-alert-outline"],
  ["devices", "mdi:devices"],
  ["health", "mdi:heart-pulse"]
];
function nd(n) {
  const e = v(n), { gateways: t, devices: s } = co(n, e("strategy.no_area")), i = e("strategy.title");
  return t.length ? {
    title: i,
    views: [
      ...td.map(([o, a]) => ({
        title: e(`strategy.view.${o}`),
        path: o,
        icon: a,
        // An icon alone is a riddle
        show_icon_and_title: !0,
        strategy: { type: pi, view: o }
      })),
      ...s.map((o) => ({
        title: o.name,
        path: Vc(o),
        subview: !0,
        back_path: "devices",
        strategy: { type: pi, view: "device", device_id: o.id }
      }))
    ]
  } : { title: i, views: [{ title: i, path: "overview", icon: "mdi:shield-home", ...mo(n) }] };
}
const ds = class ds extends HTMLElement {
  static getCreateSuggestions(e) {
    return { title: v(e)("strategy.title"), icon: "mdi:shield-home" };
  }
  static async generate(e, t) {
    return nd(t);
  }
};
ds.noEditor = !0;
let kn = ds;
class sd extends HTMLElement {
  static async generate(e, t) {
    return ed(e, t);
  }
}
const id = {
  "ll-strategy-dashboard-hearthwall": kn,
  "ll-strategy-view-hearthwall": sd
};
function od() {
  const n = v(void 0);
  return {
    type: "hearthwall",
    strategyType: "dashboard",
    name: n("strategy.title"),
    description: n("strategy.description")
  };
}
const ad = "https://github.com/hearthwall/hearthwall/blob/main/docs/cards.md";
function rd(n, e) {
  const t = n.entities[e];
  return t?.platform !== T || !t.device_id ? null : Object.values(n.entities).some(
    (i) => i.device_id === t.device_id && Kn(n, i.entity_id)
  ) ? { config: { type: "custom:hearthwall-device-card", device_id: t.device_id } } : null;
}
const ge = (n) => v(void 0)(n), ee = (n) => ao(() => ({ ...n(), documentationURL: ad }));
window.customCards = Zt(window.customCards ?? [], [
  ee(() => ({
    type: "hearthwall-devices-card",
    name: ge("devices.name"),
    description: ge("devices.description"),
    preview: !0
  })),
  ee(() => ({
    type: "hearthwall-device-card",
    name: ge("device.name"),
    description: ge("device.description"),
    preview: !0,
    getEntitySuggestion: rd
  })),
  ee(gc),
  ee(_l),
  ee(Tc),
  ee($c)
]);
window.customStrategies = Zt(window.customStrategies ?? [], [ee(od)]);
window.customBadges = Zt(window.customBadges ?? [], [
  ee(() => ({
    type: "hearthwall-badge",
    name: ge("badge.name"),
    description: ge("badge.description"),
    preview: !0
  }))
]);
window.customCardFeatures = Zt(window.customCardFeatures ?? [], [
  ao(() => ({
    type: "hearthwall-quarantine-feature",
    name: ge("feature.name"),
    isSupported: (n, { entity_id: e }) => Kn(n, e)
  }))
]);
kc({
  "hearthwall-confirm": ul,
  "hearthwall-notice": ae,
  "hearthwall-sparkline": at,
  "hearthwall-devices-card": z,
  "hearthwall-device-row": V,
  ...Yr,
  "hearthwall-badge": ot,
  "hearthwall-quarantine-feature": le,
  ...vc,
  ...xl,
  ...Cc,
  ...bc,
  ...id
});
/**
 * @license
 * Copyright 2019 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2020 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2018 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
