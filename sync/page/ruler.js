/* SPDX-License-Identifier: MIT */
'use strict';

/* The path of a run: a ruler for each direction (report/ruler.h), and what it predicts for
 * each pair. This file and page.js make one document. */

const SVG = 'http://www.w3.org/2000/svg';
const DIRECTIONS = ['upload', 'download'];
const SENDERS = ['peer', 'server'];

function svgPart(name, attributes, text = '') {
	const made = document.createElementNS(SVG, name);

	for (const key of Object.keys(attributes))
		made.setAttribute(key, attributes[key]);
	made.textContent = text;
	return made;
}

/* How the shapes of report/signs.h are traced; page.css has them for the legend. */
const SHAPES = {
	ring: (c, x, y, r) => c.arc(x, y, r * .6, 0, 7),
	diamond: (c, x, y, r) => {
		c.moveTo(x, y - r);
		c.lineTo(x + r, y);
		c.lineTo(x, y + r);
		c.lineTo(x - r, y);
		c.closePath();
	},
	frame: (c, x, y, r, box) => c.rect(
		x - Math.max(box[2] / 2, 5), y - Math.max(box[3] / 2, 5),
		Math.max(box[2], 10), Math.max(box[3], 10)),
};

/* Traces a shape as the path of an SVG. */
class Pen {
	constructor() {
		this.path = '';
	}

	moveTo(x, y) {
		this.path += `M${x} ${y}`;
	}

	lineTo(x, y) {
		this.path += `L${x} ${y}`;
	}

	closePath() {
		this.path += 'Z';
	}

	rect(x, y, w, h) {
		this.path += `M${x} ${y}h${w}v${h}h${-w}Z`;
	}

	arc(x, y, r) {
		this.path += `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0` +
			`a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
	}
}

/* The pattern of a fate, traced in a tile of eight by eight: it is dots where packets
 * arrive in fragments, and crosses where they are lost. */
const PATTERNS = {
	fragmented: (c) => c.arc(4, 4, 1.2, 0, 7),
	lost: (c) => {
		c.moveTo(2, 2);
		c.lineTo(6, 6);
		c.moveTo(2, 6);
		c.lineTo(6, 2);
	},
};

/* On the fate's own colour. */
const PATTERN_INK = { fragmented: '#000', lost: '#fff' };

let patterns = 0;

/* Add a rectangle with a fate's colour and pattern. */
function addFate(svg, fate, [x, y, width, height], opacity) {
	const at = { x, y, width: Math.max(width, 0), height };
	const trace = PATTERNS[fate.name];

	svg.append(svgPart('rect', { ...at, fill: fate.color, 'fill-opacity': opacity,
		class: fate.name }));
	if (!trace)
		return;
	const id = `fate${++patterns}`;
	const pen = new Pen();
	const tile = svgPart('pattern', { id, width: 8, height: 8,
		patternUnits: 'userSpaceOnUse' });
	const ink = PATTERN_INK[fate.name];

	trace(pen);
	tile.append(svgPart('path', { d: pen.path, stroke: ink, 'stroke-width': 1.1,
		fill: fate.name === 'lost' ? 'none' : ink }));
	svg.append(tile, svgPart('rect', { ...at, fill: `url(#${id})` }));
}

const RULER = { right: 20, bar: 20, tall: 24, height: 64, room: 38 };
/* Narrower ones have shorter names before their lines. */
const RULER_WIDE = 480;

class Ruler {
	constructor(sweep, figure, direction) {
		this.sweep = sweep;
		this.direction = direction;
		this.caption = figure.querySelector('figcaption');
		this.svg = figure.querySelector('svg');
	}

	x(size) {
		const { from, to } = this.sweep.facts.ruler;
		const place = (size - from) / (to - from);

		return this.left + Math.min(Math.max(place, 0), 1) * this.width;
	}

	draw() {
		const { ruler } = this.sweep.facts;
		const full = this.svg.clientWidth;

		if (!full)
			return;
		this.own = ruler[DIRECTIONS[this.direction]];
		this.wide = full >= RULER_WIDE;
		this.left = this.wide ? 96 : 58;
		this.width = full - this.left - RULER.right;
		this.caption.textContent = this.own.title;
		this.svg.setAttribute('viewBox', `0 0 ${full} ${RULER.height}`);
		this.svg.replaceChildren();
		this.drawBands();
		this.drawLabels();
		this.drawMarks();
		this.svg.setAttribute('aria-label', this.words());
	}

	drawBands() {
		const { from, to } = this.sweep.facts.ruler;
		const { bands, proved } = this.own;
		let before = from - .5;

		for (const [last, name] of bands.length ? bands : [[to, 'unknown']]) {
			const left = this.x(before);

			before = last + .5;
			addFate(this.svg, this.sweep.fate(name), [left, RULER.bar,
				this.x(before) - left, RULER.tall], proved ? 1 : .45);
		}
		this.svg.append(svgPart('rect', { x: this.left, y: RULER.bar,
			width: this.width, height: RULER.tall, class: 'bar',
			'stroke-dasharray': proved ? 'none' : '5 4' }));
		for (const [last] of bands.slice(0, -1))
			this.svg.append(svgPart('path', { class: 'edge', d:
				`M${this.x(last + .5)} ${RULER.bar - 3}` +
				`v${RULER.tall + 6}` }));
	}

	/* As ruler_labels() in report/ruler.c places them. */
	labels() {
		const { from, to, step } = this.sweep.facts.ruler;
		const right = this.left + this.width;
		const most = Math.floor(this.width / RULER.room) + 1;
		const labels = this.own.bands.slice(0, -1).slice(0, most)
			.map(([size]) => ({ size, edge: true, at: this.x(size + .5) }));

		for (let i = 1; i < labels.length; i++)
			labels[i].at = Math.max(labels[i].at,
				labels[i - 1].at + RULER.room);
		for (let i = labels.length - 1; i >= 0; i--)
			labels[i].at = Math.min(labels[i].at, i + 1 < labels.length
				? labels[i + 1].at - RULER.room : right);
		for (let size = from; size <= to; size += step) {
			const at = this.x(size);

			if (labels.every((label) => Math.abs(label.at - at) >= RULER.room))
				labels.push({ size, edge: false, at });
		}
		return labels;
	}

	drawLabels() {
		const below = RULER.bar + RULER.tall + 14;
		const text = (x, y, name, words) => this.svg.append(
			svgPart('text', { x, y, class: name }, words));

		text(0, RULER.bar - 7, 'name', this.wide ? 'outer size' : 'size');
		text(0, below, 'name',
			this.wide ? `${SENDERS[this.direction]} MTU` : 'MTU');
		for (const { size, edge, at } of this.labels()) {
			const name = edge ? 'size edge' : 'size';

			text(at, RULER.bar - 7, name, size);
			if (size >= this.own.overhead)
				text(at, below, name, size - this.own.overhead);
		}
	}

	/* Return the sender's MTU in a pair; 0: there is none, or it is not known. */
	sender(pair) {
		const mtu = pair && pair[`${SENDERS[this.direction]}_mtu`] || 0;

		return mtu === UNKNOWN ? 0 : mtu;
	}

	drawMarks() {
		const { from, to } = this.sweep.facts.ruler;
		const y = RULER.bar + RULER.tall / 2;

		for (const { name, shape } of this.sweep.facts.signs) {
			const mtu = this.sender(this.sweep.marks()[name]);
			const size = mtu + this.own.overhead;
			const pen = new Pen();

			if (!mtu || size < from || size > to)
				continue;
			SHAPES[shape](pen, this.x(size), y, 8, [0, 0, 16, 16]);
			for (const layer of ['halo', 'sign'])
				this.svg.append(svgPart('path', { d: pen.path,
					class: `${layer} is-${name}`, 'stroke-dasharray':
					this.sweep.isPredicted(name) ? '4 3' : 'none' }));
		}
	}

	/* "upload: whole to 1460 bytes (peer MTU 1400), lost above; recommended 1400" */
	words() {
		const { bands, overhead } = this.own;
		const sender = `${SENDERS[this.direction]} MTU`;
		const parts = bands.map(([last, name], i) => i + 1 === bands.length
			? `${name} above`
			: `${name} to ${last} bytes (${sender} ${last - overhead})`);
		const marks = this.sweep.facts.signs.map(({ name }) => {
			const mtu = this.sender(this.sweep.marks()[name]);

			return mtu ? `; ${name} ${mtu}` : '';
		});

		return `${DIRECTIONS[this.direction]}: ` +
			`${parts.join(', ') || 'not known'}${marks.join('')}`;
	}
}

/* --- predictions ------------------------------------------------------------------- */

/* The fate of outer packets of a size; an edge's band ends with it. */
function fateOf(bands, size) {
	const [, name] = bands.find(([last]) => size <= last) || bands[bands.length - 1];

	return name;
}

/* The fate of full-size TCP packets of a pair, as pathmodel_predict() in
 * engine/pathmodel.c predicts it; '' without bands, or with those told from throughput. */
function predictFate(ruler, direction, [server, peer]) {
	const { bands, guessed, overhead } = ruler[DIRECTIONS[direction]];
	const own = direction === 0 ? peer : server;
	const segment = Math.ceil(Math.min(server, peer) / 16) * 16;

	if (!bands.length || guessed)
		return '';
	return fateOf(bands, overhead + Math.min(own, segment));
}
