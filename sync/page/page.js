/* SPDX-License-Identifier: MIT */
'use strict';

/* The page asks for news once a second; docs/protocol.md describes the answers. On the
 * host itself it asks again at once if an answer was incomplete: that does not use the
 * tunnel. */
const POLL_MS = 1000;
const NEAR_MS = 50;
const HIDDEN_MS = 10000;
const TIMEOUT_MS = 4000;
const ROWS_SHOWN = 500;

const FAILURES = {
	blackhole: 'no full-size packet arrived',
	timeout: 'data flowed, then stalled',
	unreachable: 'the test got no answer',
	refused: 'nobody listened for the test',
	error: 'the test failed',
};

// The words of 'mtusweep history' for docs/schema.md's path_probe.
const FITS = { fits: 'fits', misfit: 'does not fit', unknown: 'not known' };
const UNANSWERED = { none: 'no answer', busy: 'server busy' };
const APPLIED = { yes: 'applied', failed: 'not applied' };

const link = document.getElementById('link');

/* --- words ------------------------------------------------------------------------- */

function mbps(bps, digits = 1) {
	// Less than 1 Mbit/s keeps significant figures.
	return (bps / 1e6).toFixed(bps > 0 && bps < 999500 ? Math.max(digits, 3) : digits);
}

// How each unit of base/figures.h is shown.
const UNITS = {
	bps: (value) => `${mbps(value, 3)} Mbit/s`,
	bytes: (value) => `${value} bytes`,
	count: (value) => String(value),
	us: (value) => `${(value / 1000).toFixed(1)} ms`,
};

/* Format one direction: Mbit/s, the kind of failure, or nothing. */
function figure(value, digits, unit = '') {
	if (value === null || value === undefined)
		return '-';
	if (typeof value === 'number')
		return mbps(value, digits) + unit;
	return value === 'error' ? 'no result' : value;
}

function duration(ms) {
	const s = Math.round(ms / 1000);
	const two = (n) => String(n).padStart(2, '0');
	const hours = Math.floor(s / 3600);

	return hours ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
		: `${Math.floor(s / 60)}:${two(s % 60)}`;
}

function endName(end) {
	return [end.host || '?', end.interface].filter(Boolean).join(' ');
}

/* MTU_UNKNOWN of base/types.h, null in answers. It limits nothing. */
const UNKNOWN = 65535;
const mtuText = (mtu) => mtu === UNKNOWN ? '-' : String(mtu);

function pairWords([server, peer]) {
	return [server === UNKNOWN ? '' : `server MTU ${server}`,
		peer === UNKNOWN ? '' : `peer MTU ${peer}`].filter(Boolean).join(', ');
}

function rangeText(grid) {
	return grid ? `${grid[0]} to ${grid[1]} by ${grid[2]}` : 'any';
}

function element(name, text) {
	const made = document.createElement(name);

	made.textContent = text;
	return made;
}

/* A sign and its label, which no end of a line separates. */
function together(sign, label) {
	const made = element('span', '');

	made.className = 'together';
	made.append(sign, label);
	return made;
}

function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

/* --- maps -------------------------------------------------------------------------- */

const MARGIN = { left: 46, right: 18, top: 8, bottom: 26 };

/* The number of colours between the first and the last. */
const SHADES = 256;

function shades(colors) {
	const part = (c, at) => parseInt(c.slice(at, at + 2), 16);

	return Array.from({ length: SHADES }, (_, n) => {
		const x = n / (SHADES - 1) * (colors.length - 1);
		const i = Math.min(Math.floor(x), colors.length - 2);
		const mix = [1, 3, 5].map((at) => Math.round(
			part(colors[i], at) * (1 - x + i) +
				part(colors[i + 1], at) * (x - i)));

		return `rgb(${mix.join(' ')})`;
	});
}

/* Each kind of failure has its own hatch. */
function hatch(context, status, ground, line) {
	const tile = document.createElement('canvas');
	const c = tile.getContext('2d');

	tile.width = tile.height = 8;
	c.fillStyle = ground;
	c.fillRect(0, 0, 8, 8);
	c.strokeStyle = line;
	c.beginPath();
	if (status === 'blackhole' || status === 'timeout') {
		c.moveTo(0, 8);
		c.lineTo(8, 0);
	}
	if (status === 'blackhole' || status === 'unreachable') {
		c.moveTo(0, 0);
		c.lineTo(8, 8);
	}
	if (status === 'refused') {
		c.moveTo(0, 4);
		c.lineTo(8, 4);
	}
	if (status === 'error')
		c.rect(3, 3, 2, 2);
	c.stroke();
	return context.createPattern(tile, 'repeat');
}

/* The opacity of a predicted fate, fainter than any rate. */
const PREDICTED = .3;

/* The pattern of a predicted fate, on its faint colour. */
function predictedFill(context, fate, ink) {
	const tile = document.createElement('canvas');
	const c = tile.getContext('2d');

	tile.width = tile.height = 8;
	c.globalAlpha = PREDICTED;
	c.fillStyle = fate.color;
	c.fillRect(0, 0, 8, 8);
	if (PATTERNS[fate.name]) {
		c.globalAlpha = .5;
		c.strokeStyle = ink;
		c.beginPath();
		PATTERNS[fate.name](c);
		c.stroke();
	}
	return context.createPattern(tile, 'repeat');
}

const ROUND_STEPS = [1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
/* Round labels do not stand as close as those of all MTUs. */
const ROUND_APART = 24;

/* Choose the indices of an axis to label, as heatmap_axis_labels() in
 * report/heatmap_layout.c does: all, or round MTUs. */
function axisLabels(axis, cell, room) {
	const choose = (step) => {
		const apart = step > 1 ? Math.max(room, ROUND_APART) : room;
		const kept = [];
		let omitted = 0;

		axis.forEach((mtu, i) => {
			if (mtu % step)
				return;
			if (kept.length && (i - kept[kept.length - 1]) * cell < apart)
				omitted++;
			else
				kept.push(i);
		});
		return { kept, omitted };
	};

	/* An MTU far from the others may lack room, most must have it. */
	for (const step of ROUND_STEPS) {
		const { kept, omitted } = choose(step);

		if (kept.length > 1 && omitted * 4 <= kept.length)
			return kept;
	}
	return choose(1).kept;
}

class Chart {
	constructor(sweep, canvas, scale, direction) {
		this.sweep = sweep;
		this.canvas = canvas;
		this.scale = scale;
		this.direction = direction;
		canvas.addEventListener('pointermove', (e) => sweep.select(this.pairAt(e)));
		canvas.addEventListener('pointerdown', (e) => sweep.select(this.pairAt(e)));
		canvas.addEventListener('focus',
			() => sweep.select(sweep.selected || sweep.middle()));
		canvas.addEventListener('keydown', (e) => this.key(e));
	}

	key(event) {
		const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0],
			ArrowDown: [-1, 0], PageUp: [10, 0], PageDown: [-10, 0],
			Home: [0, -Infinity], End: [0, Infinity] };

		if (event.key === 'Escape')
			this.sweep.select(null);
		else if (moves[event.key])
			this.sweep.move(...moves[event.key]);
		else
			return;
		event.preventDefault();
	}

	pairAt(event) {
		if (!this.cell)
			return this.sweep.selected;
		const box = this.canvas.getBoundingClientRect();
		const { servers, peers } = this.sweep;
		const across = event.clientX - box.left - MARGIN.left;
		const j = Math.floor(across / this.cell[0]);
		const up = box.height - MARGIN.bottom - event.clientY + box.top;
		const i = Math.floor(up / this.cell[1]);

		if (i < 0 || j < 0 || i >= servers.length || j >= peers.length)
			return this.sweep.selected;
		return [servers[i], peers[j]];
	}

	resize() {
		const { servers, peers } = this.sweep;
		const width = this.canvas.clientWidth;
		const across = width - MARGIN.left - MARGIN.right;
		const square = across * servers.length / peers.length;
		const up = Math.min(Math.max(square, 100), across, 480);
		const height = Math.round(up + MARGIN.top + MARGIN.bottom);
		const dots = window.devicePixelRatio || 1;

		this.canvas.style.height = `${height}px`;
		this.canvas.width = Math.round(width * dots);
		this.canvas.height = Math.round(height * dots);
		this.cell = [across / peers.length, (height - MARGIN.top - MARGIN.bottom) /
			servers.length];
		this.base = height - MARGIN.bottom;
		this.at = [servers, peers].map(
			(axis) => new Map(axis.map((mtu, i) => [mtu, i])));
		this.context = this.canvas.getContext('2d');
		this.context.scale(dots, dots);
	}

	/* Return x, y, width, height of a pair's cell; null if the maps do not contain
	 * it. */
	box(pair) {
		const [i, j] = this.at.map((positions, end) => positions.get(pair[end]));
		const [w, h] = this.cell;

		return i === undefined || j === undefined ? null
			: [MARGIN.left + j * w, this.base - (i + 1) * h, w, h];
	}

	draw() {
		const style = getComputedStyle(document.documentElement);

		if (!this.sweep.servers.length || !this.canvas.clientWidth)
			return;
		this.colorOf = (name) => style.getPropertyValue(`--${name}`).trim();
		this.resize();
		this.drawAxes();
		this.drawPredictions();
		this.drawCells();
		this.drawEdges();
		this.drawMarks();
		this.drawScale();
		const { cells, servers, peers } = this.sweep;
		this.canvas.setAttribute('aria-label', `${DIRECTIONS[this.direction]}: ` +
			`${cells.size} of ${servers.length * peers.length} pairs ` +
			'measured; arrow keys select a pair');
	}

	drawAxes() {
		const c = this.context;
		const { servers, peers } = this.sweep;
		const [w, h] = this.cell;

		c.fillStyle = this.colorOf('faint');
		c.font = '12px system-ui, sans-serif';
		c.textAlign = 'right';
		c.textBaseline = 'middle';
		for (const i of axisLabels(servers, h, 20))
			c.fillText(mtuText(servers[i]), MARGIN.left - 6,
				this.base - (i + .5) * h);
		c.textAlign = 'center';
		c.textBaseline = 'top';
		for (const j of axisLabels(peers, w, 36))
			c.fillText(peers[j], MARGIN.left + (j + .5) * w, this.base + 6);
		c.strokeStyle = this.colorOf('line');
		c.strokeRect(MARGIN.left, MARGIN.top, this.cell[0] * peers.length,
			this.base - MARGIN.top);
	}

	/* Under the cells: the fate of full-size TCP packets, adjacent ones as one. */
	drawPredictions() {
		const c = this.context;
		const { servers, peers, facts } = this.sweep;
		const [w, h] = this.cell;
		const fills = {};
		const fill = (name, i, from, to) => {
			if (!name || name === 'unknown')
				return;
			c.fillStyle = fills[name] = fills[name] || predictedFill(c,
				this.sweep.fate(name), this.colorOf('text'));
			/* Whole dots: rows that overlap would be darker there. */
			const top = Math.round(this.base - (i + 1) * h);
			const left = Math.round(MARGIN.left + from * w);
			c.fillRect(left, top, Math.round(MARGIN.left + to * w) - left,
				Math.round(this.base - i * h) - top);
		};

		for (let i = 0; facts.ruler && i < servers.length; i++) {
			let from = 0;
			let last = '';

			peers.forEach((peer, j) => {
				const name = predictFate(facts.ruler, this.direction,
					[servers[i], peer]);

				if (name === last)
					return;
				fill(last, i, from, j);
				[from, last] = [j, name];
			});
			fill(last, i, from, peers.length);
		}
	}

	drawCells() {
		const c = this.context;
		const { cells, facts, scale } = this.sweep;
		const [low, high] = scale ? scale[this.direction] : [0, 1];
		const colors = shades(facts.colors);
		const hatches = {};

		for (const cell of cells.values()) {
			const value = cell.value[this.direction];
			let [x, y, w, h] = this.box(cell.pair);

			if (typeof value === 'number')
				c.fillStyle = colors[Math.round((SHADES - 1) *
					Math.min(Math.max((value - low) /
						(high - low), 0), 1))];
			else if (value)
				c.fillStyle = hatches[value] = hatches[value] ||
					hatch(c, value, this.colorOf('failed'),
						this.colorOf('hatch'));
			else
				continue;
			/* A small cell alone among thousands would not be visible. */
			if (w < 6 && cells.size * 50 <
					this.sweep.servers.length * this.sweep.peers.length)
				[x, y, w, h] = [x + w / 2 - 4, y + h / 2 - 4, 8, 8];
			c.fillRect(x, y, w + .3, h + .3);
		}
	}

	/* The sender's full-size packets above the edge have another fate. The line is
	 * dashed where the other end's MTU keeps TCP's packets below it, as in pictures. */
	drawEdges() {
		const { servers, peers, facts } = this.sweep;
		const right = MARGIN.left + this.cell[0] * peers.length;
		const [own, other] = this.direction === 0 ? [peers, servers]
			: [servers, peers];
		const x = (count) => MARGIN.left + count * this.cell[0];
		const y = (count) => this.base - count * this.cell[1];
		const below = (axis, mtu) => axis.filter((one) => one <= mtu).length;

		for (const { direction, mtu } of facts.edges) {
			const at = below(own, mtu);
			const kept = below(other, Math.floor(mtu / 16) * 16);

			if (direction !== DIRECTIONS[this.direction] || !at ||
					at === own.length)
				continue;
			if (this.direction === 0) {
				this.line([4, 3], [x(at), this.base], [x(at), y(kept)]);
				this.line([], [x(at), MARGIN.top], [x(at), y(kept)],
					[right, y(kept)]);
			} else {
				this.line([4, 3], [MARGIN.left, y(at)], [x(kept), y(at)]);
				this.line([], [right, y(at)], [x(kept), y(at)],
					[x(kept), MARGIN.top]);
			}
		}
	}

	line(dash, ...points) {
		const c = this.context;

		c.strokeStyle = this.colorOf('text');
		c.setLineDash(dash);
		c.beginPath();
		points.forEach((point) => c.lineTo(...point));
		c.stroke();
		c.setLineDash([]);
	}

	/* Draw two strokes, so that the mark is visible on every colour. */
	mark(pair, trace, line, dash = []) {
		const c = this.context;
		const box = pair && this.box(pair);

		if (!box)
			return;
		c.setLineDash(dash);
		for (const [width, style] of [[4, this.colorOf('ground')], [2, line]]) {
			c.lineWidth = width;
			c.strokeStyle = style;
			c.beginPath();
			trace(c, box[0] + box[2] / 2, box[1] + box[3] / 2,
				Math.max(Math.min(box[2], box[3]) / 2 - 1.5, 7), box);
			c.stroke();
		}
		c.setLineDash([]);
		c.lineWidth = 1;
	}

	drawMarks() {
		const s = this.sweep;
		const text = this.colorOf('text');
		const pairs = s.marks();

		for (const { name, shape } of s.facts.signs)
			this.mark(s.pairOf(pairs[name]), SHAPES[shape], text,
				s.isPredicted(name) ? [4, 3] : []);
		this.mark(s.pairOf(s.now), SHAPES.frame, this.colorOf('accent'), [4, 3]);
		this.mark(s.selected, SHAPES.frame, this.colorOf('accent'));
	}

	drawScale() {
		const [low, bar, high] = this.scale.children;
		const { facts, scale } = this.sweep;

		this.scale.hidden = !scale;
		if (!scale)
			return;
		setText(low, mbps(scale[this.direction][0], 0));
		setText(high, `${mbps(scale[this.direction][1], 0)} Mbit/s`);
		bar.style.background = `linear-gradient(90deg, ${facts.colors.join(', ')})`;
	}
}

/* --- a run ------------------------------------------------------------------------- */

class Sweep {
	/* `name` selects the run; '' is the newest, or the one the program was started
	 * for. */
	constructor(name) {
		const copy = document.getElementById('sweep').content.cloneNode(true);

		this.name = name;
		this.section = copy.querySelector('section');
		this.find = (selector) => this.section.querySelector(selector);
		this.charts = [...this.section.querySelectorAll('.map')].map(
			(canvas, direction) => new Chart(this, canvas,
				canvas.nextElementSibling, direction));
		this.rulers = [...this.section.querySelectorAll('.rulers figure')].map(
			(figure, direction) => new Ruler(this, figure, direction));
		this.find('.all').addEventListener('toggle', () => this.showTable());
		this.find('button').addEventListener('click', () => {
			this.shown += ROWS_SHOWN;
			this.showTable();
		});
		this.forget('');
	}

	forget(run) {
		Object.assign(this, { run, revision: '', next: 0, more: false, facts: null,
			scale: null, fastest: null, now: null, cells: new Map(),
			references: [], servers: [], peers: [], selected: null,
			wanted: null, told: null, shown: ROWS_SHOWN, drawnAt: 0 });
		delete this.find('.drift svg').dataset.count;
	}

	/* --- questions and answers --- */

	query() {
		const parts = [`after=${this.next}`, `have=${this.run}`,
			`rev=${this.revision}`];

		if (this.name)
			parts.push(`run=${this.name}`);
		if (this.wanted)
			parts.push(`pair=${this.wanted.join(',')}`);
		return parts.join('&');
	}

	take(answer, asked) {
		if (answer.run === null) {
			this.forget('');
			return;
		}
		if (answer.run !== this.run)
			this.forget(answer.run);
		if (answer.facts)
			this.takeFacts(answer);
		for (const key of ['scale', 'fastest', 'now', 'next', 'more', 'state',
				'visits'])
			this[key] = answer[key];
		this.failed = answer.visits_failed;
		this.outcome = answer.outcome_text;
		this.references.push(...answer.references);
		answer.rows.forEach((row) => this.takeRow(row));
		if (answer.pair)
			this.takePair(answer.pair, asked);
		this.show();
	}

	takeFacts(answer) {
		const { run } = answer.facts;

		this.facts = answer.facts;
		this.revision = answer.revision;
		const ends = [run.server, run.peer];
		this.ends = ends.filter((end) => end.mtu_min !== null);
		this.oneEnded = this.ends.length === 1;
		const [server_mtu, peer_mtu] = ends.map((end) =>
			end.mtu_min === null ? UNKNOWN : end.link_mtu);
		this.facts.current = server_mtu && peer_mtu
			? { server_mtu, peer_mtu } : null;
		[this.servers, this.peers] = this.facts.grid.map((grid, i) => {
			const mtus = ends[i].mtu_min === null ? [UNKNOWN] : [];

			for (let mtu = grid ? grid[0] : 1; grid && mtu <= grid[1];
				mtu += grid[2])
				mtus.push(mtu);
			return mtus;
		});
		this.showSigns();
		this.showChanges();
		for (const cell of this.cells.values())
			this.extend(cell.pair);
	}

	/* Pairs outside the grid are measured, too. */
	extend(pair) {
		[this.servers, this.peers].forEach((axis, end) => {
			if (axis.includes(pair[end]))
				return;
			axis.push(pair[end]);
			axis.sort((a, b) => a - b);
		});
	}

	takeRow([, server, peer, up, down]) {
		const pair = [server ?? UNKNOWN, peer ?? UNKNOWN];

		this.cells.set(pair.join(), { pair, value: [up, down] });
		this.extend(pair);
		if (this.selected && this.selected.join() === pair.join())
			this.wanted = pair;
	}

	takePair(answer, asked) {
		this.told = answer;
		if (this.wanted === asked)
			this.wanted = null;
	}

	/* --- the chosen pair --- */

	pairOf(object) {
		return object && (object.server_mtu || object.peer_mtu)
			? [object.server_mtu ?? UNKNOWN, object.peer_mtu ?? UNKNOWN] : null;
	}

	middle() {
		return this.pairOf(this.fastest) ||
			(this.servers.length ? [this.servers[0], this.peers[0]] : null);
	}

	move(up, right) {
		const from = this.selected || this.middle();
		const along = (axis, mtu, step) =>
			axis[Math.min(Math.max(axis.indexOf(mtu) + step, 0),
				axis.length - 1)];

		if (from)
			this.select([along(this.servers, from[0], up),
				along(this.peers, from[1], right)]);
	}

	select(pair) {
		if (String(pair) === String(this.selected))
			return;
		this.selected = this.wanted = pair;
		this.showPair();
		this.draw();
	}

	/* --- display --- */

	show() {
		const seen = [this.run, this.revision, this.next, this.scale,
			JSON.stringify(this.fastest),
			this.now && this.pairOf(this.now)].join();

		this.showAnswer();
		this.showTitle();
		this.showProgress();
		this.showCards();
		this.showPair();
		/* Large runs arrive in many parts. */
		if (seen === this.seen ||
				(this.more && Date.now() - this.drawnAt < POLL_MS))
			return;
		this.seen = seen;
		this.drawnAt = Date.now();
		this.showDrift();
		this.showTable();
		/* A run that only probed may have no pair to show. */
		for (const part of this.section.querySelectorAll('.mapped'))
			part.hidden = !this.servers.length || !this.peers.length;
		this.drawRulers();
		this.draw();
	}

	draw() {
		this.charts.forEach((chart) => chart.draw());
	}

	drawRulers() {
		const there = Boolean(this.facts && this.facts.ruler);

		this.find('.rulers').hidden = !there;
		if (there)
			this.rulers.forEach((ruler) => ruler.draw());
	}

	showTitle() {
		const { run } = this.facts;
		const families = new Set([run.server.endpoint_family,
			run.peer.endpoint_family]);
		const backends = [...new Set(this.ends.map((end) => end.backend))]
			.join(' and ');

		families.delete(null);
		/* A log knows the name of neither end. */
		const known = run.server.host || run.peer.host;

		setText(this.find('.title'), this.oneEnded
			? `${endName(this.ends[0])}, one end alone` : known
				? `${endName(run.server)} - ${endName(run.peer)}`
				: `run ${run.id}`);
		setText(this.find('.about'), [
			`run ${run.id} (${run.uuid.slice(0, 8)})`,
			`${(run.started_at || '').slice(0, 16).replace('T', ' ')} UTC`,
			`strategy ${run.strategy}`,
			...['server', 'peer'].map((end, i) => run[end].mtu_min !== null &&
				`${end} MTUs ${rangeText(this.facts.grid[i])}`),
			known && `WireGuard: ${backends}`,
			families.size && `IPv${[...families].join(' and ')}`,
			run.tunnel && `tunnel ${run.tunnel}`,
		].filter(Boolean).join(', '));
	}

	/* Return the number of measurements done and to come; 0: unknown. */
	total() {
		const planned = this.facts.run.pairs_planned || 0;

		/* With --repeat-failed there are more than the grid has. */
		return planned && Math.max(planned, this.visits);
	}

	showProgress() {
		const bar = this.find('progress');
		const { changes } = this.facts;
		const counted = this.visits !== null && !changes;
		const total = !counted ? 0
			: this.state === 'done' ? this.visits : this.total();
		const parts = [];

		if (counted)
			parts.push(`${this.visits}${total ? ` of ${total}` : ''} ` +
				`measurement${total || this.visits !== 1 ? 's' : ''}`,
				`${this.failed} failed`);
		if (total) {
			bar.max = total;
			bar.value = Math.min(this.visits, total);
		} else {
			bar.removeAttribute('value');
		}
		/* Nothing is to come, as after a probe. */
		bar.hidden = !total && (this.state === 'done' || Boolean(changes));
		parts.push(this.state);
		if (this.now && this.now.left_ms !== null)
			parts.push(`about ${duration(this.now.left_ms)} left`);
		if (this.more)
			parts.push('still loading');
		if (this.outcome)
			parts.push(this.outcome);
		setText(this.find('.count'), parts.join(', '));
	}

	/* The marked pairs, by the names of their signs. */
	marks() {
		return { ...this.facts, fastest: this.fastest };
	}

	/* Whether probes alone show the pair of that sign to work. */
	isPredicted(name) {
		const { recommended } = this.facts;

		return name === 'recommended' && Boolean(recommended) &&
			recommended.predicted;
	}

	fate(name) {
		return this.facts.fates.find((fate) => fate.name === name);
	}

	showSigns() {
		const signs = this.facts.signs.map(({ name, label, shape }) => {
			const sign = element('b', '');

			sign.className = `mark ${shape}`;
			sign.classList.toggle('predicted', this.isPredicted(name));
			return together(sign,
				label + (this.isPredicted(name) ? ' (predicted)' : ''));
		});

		this.find('.signs').replaceChildren(...signs);
		this.showFates();
	}

	/* The legend of the fates that the rulers have. */
	showFates() {
		const { ruler, fates } = this.facts;
		const own = ruler ? DIRECTIONS.map((name) => ruler[name].bands) : [];
		const there = new Set(own.flatMap((bands) => bands.length
			? bands.map(([, name]) => name) : ['unknown']));

		this.find('.fates').replaceChildren(...fates
			.filter(({ name }) => there.has(name)).map((fate) => {
				const svg = svgPart('svg', { width: 16, height: 16 });

				addFate(svg, fate, [0, 0, 16, 16], 1);
				return together(svg, fate.label);
			}));
	}

	/* The recommendation with its reason in one sentence; the predicted one while the
	 * run goes on. */
	showAnswer() {
		const { recommended } = this.facts;
		const { reason, proof, status } = recommended || {};
		const none = this.state === 'running' && !this.facts.changes
			? 'No recommendation yet' : '';
		const mtus = this.pairOf(recommended);
		const pair = recommended && (mtus ? pairWords(mtus)
			: this.oneEnded ? 'no MTU' : 'no pair');
		/* The reason of an MTU that tests contradict does not hold. */
		const holds = mtus || status !== 'contradicted';
		const sentence = (text) => text &&
			`${text[0].toUpperCase()}${text.slice(1)}.`;

		this.find('.answer').hidden = !recommended && !none;
		setText(this.find('.recommended'), pair ? `Recommended: ${pair}` : none);
		setText(this.find('.why'),
			sentence(holds && reason && reason.sentence || ''));
		setText(this.find('.proof'), sentence(proof || ''));
		this.find('.reasons').hidden = !recommended;
		setText(this.find('.reasons p'), recommended ? recommended.text : '');
	}

	showCards() {
		const { current, warnings } = this.facts;
		const mtu = (value) => value === 0 ? '?' : mtuText(value ?? UNKNOWN);
		const pair = (object) =>
			`${mtu(object.server_mtu)} / ${mtu(object.peer_mtu)}`;
		const list = this.find('.warnings');
		const best = this.fastest;

		this.find('.now').parentNode.hidden = !this.now;
		setText(this.find('.now'), !this.now ? '-' :
			(this.now.server_mtu ? `${pair(this.now)} ` : '') + this.now.doing);
		setText(this.find('.fastest'), !best ? '-' : `${pair(best)}\n` +
			`${figure(best.upload_bps)} up, ${figure(best.download_bps)} down`);
		setText(this.find('.current'), current ? pair(current) : '-');
		list.hidden = warnings.length === 0;
		const sentences = warnings.map((w) => w.sentence);
		const shown = [...list.children].map((item) => item.textContent);

		if (sentences.join('\n') !== shown.join('\n'))
			list.replaceChildren(...sentences.map(
				(sentence) => element('li', sentence)));
	}

	/* Describe the chosen pair: at once with the map's figures, then with the full
	 * answer. */
	pairLines() {
		const isTold = this.told &&
			String(this.pairOf(this.told)) === String(this.selected);
		const told = isTold ? this.told : null;
		const cell = this.cells.get(this.selected.join());
		const lines = [];

		DIRECTIONS.forEach((name, d) => {
			const value = cell ? cell.value[d] : null;

			lines.push(`${name}: ` +
				(cell ? figure(value, 3, ' Mbit/s') : 'not measured') +
				`${FAILURES[value] ? `, ${FAILURES[value]}` : ''}` +
				`${told && told.result ? this.detail(told, name) : ''}`);
			if (told && told[name])
				lines.push(told[name]);
		});
		return lines;
	}

	detail(told, name) {
		const [last] = told.visits;
		const ok = told.result[`${name}_ok`];
		const parts = [`${ok} of ${told.result.visits} measurements ok`];

		if (!last)
			return '';
		const it = last[name];

		if (it.status !== 'ok')
			parts.push(`the last one ${it.status}` +
				(it.text ? `: ${it.text}` : ''));
		for (const {name: key, label, unit} of told.figures)
			if (it[key] !== null)
				parts.push(`${label} ${UNITS[unit](it[key])}`);
		return `; ${parts.join(', ')}`;
	}

	showPair() {
		const panel = this.find('.pair');
		const lines = this.selected ? this.pairLines() : [];
		const text = String(this.selected) + lines.join('\n');

		if (this.panel === text)
			return;
		this.panel = text;
		if (!this.selected)
			panel.replaceChildren(element('p', 'No pair is selected.'));
		else
			panel.replaceChildren(element('h3',
				pairWords(this.selected).replace(/^./,
					(letter) => letter.toUpperCase())),
			...lines.map((line) => element('p', line)));
	}

	showDrift() {
		const all = this.references;
		const rates = all.flatMap((r) => [r[2], r[3]])
			.filter((rate) => rate !== null);
		const svg = this.find('.drift svg');

		this.find('.drift').hidden = all.length < 2 || !rates.length;
		if (this.find('.drift').hidden || Number(svg.dataset.count) === all.length)
			return;
		svg.dataset.count = all.length;
		const [from, to] = [all[0][1], all[all.length - 1][1]];
		const top = Math.max(...rates);
		const bottom = Math.min(...rates, top * .8);
		const x = (ms) => 50 + 540 * (ms - from) / Math.max(to - from, 1);
		const y = (rate) => 10 + 100 * (top - rate) / Math.max(top - bottom, 1);
		const curve = (d) => svgPart('polyline', { class: d === 2 ? 'up' : 'down',
			points: all.filter((r) => r[d] !== null)
				.map((r) => `${x(r[1]).toFixed(1)},${y(r[d]).toFixed(1)}`)
				.join(' ') });

		svg.replaceChildren(svgPart('line', { x1: 50, x2: 590, y1: 110, y2: 110 }),
			svgPart('text', { x: 44, y: 16, 'text-anchor': 'end' },
				mbps(top, 0)),
			svgPart('text', { x: 44, y: 112, 'text-anchor': 'end' },
				mbps(bottom, 0)),
			svgPart('text', { x: 50, y: 130 }, duration(from)),
			svgPart('text', { x: 590, y: 130, 'text-anchor': 'end' },
				duration(to)),
			curve(2), curve(3));
		svg.setAttribute('aria-label',
			`${all.length} measurements of the reference pair, ` +
			`${mbps(bottom)} to ${mbps(top)} Mbit/s`);
	}

	/* The first probe of a watch and its news, in the columns of 'mtusweep history'. */
	showChanges() {
		const changes = this.facts.changes || [];
		const known = (value) => value === null ? '-' : String(value);
		const rows = changes.map((it) => [
			(it.probed_at || '').slice(0, 19).replace('T', ' '),
			known(it.upload_whole), known(it.download_whole),
			`${known(it.server_mtu)}/${known(it.peer_mtu)}`,
			`${known(it.largest_server_mtu)}/${known(it.largest_peer_mtu)}`,
			UNANSWERED[it.answer] || FITS[it.fit],
			[it.event === 'quiet' ? '' : it.event, APPLIED[it.applied]]
				.filter(Boolean).join(', ')]);

		this.find('.changes').hidden = !rows.length;
		this.find('.changes tbody').replaceChildren(...rows.map((cells) => {
			const row = element('tr', '');

			row.append(...cells.map((text) => element('td', text)));
			return row;
		}));
	}

	showTable() {
		const body = this.find('.all tbody');
		const cells = [...this.cells.values()].sort(
			(a, b) => a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]);
		const text = (cell) => [...cell.pair.map(mtuText),
			...cell.value.map((v) => figure(v, 3))];

		if (!this.find('.all').open)
			return;
		cells.slice(0, this.shown).forEach((cell, i) => {
			const row = body.rows[i] || body.insertRow();

			text(cell).forEach((value, column) =>
				setText(row.cells[column] || row.insertCell(),
					String(value)));
		});
		while (body.rows.length > Math.min(cells.length, this.shown))
			body.deleteRow(-1);
		this.find('button').hidden = cells.length <= this.shown;
	}
}

/* --- requests
 * ---------------------------------------------------------------------- */

let sweeps = [];
let near = false;
let chooser = false;
let answeredAt = Date.now();

/* A server that is about to end waits until each page has the last answer. */
const READER = crypto.getRandomValues(new Uint32Array(2))
	.reduce((text, word) => text + word.toString(16).padStart(8, '0'), '');

/* Return whether an answer came. A server that is busy with another page has
 * answered. */
async function ask(sweep) {
	const asked = sweep.wanted;
	const response = await fetch(`/progress?reader=${READER}&${sweep.query()}`,
		{ signal: AbortSignal.timeout(TIMEOUT_MS) });
	const answer = await response.json();

	if (!sweeps.includes(sweep))
		return true;
	if (response.ok) {
		near = answer.near;
		sweep.take(answer, asked);
		if (answer.choose && !chooser)
			await fillChooser();
	} else if (response.status !== 503) {
		throw new Error(answer.text);
	}
	return response.ok;
}

function tell(error) {
	const seconds = Math.round((Date.now() - answeredAt) / 1000);

	const ended = sweeps.every((sweep) => sweep.state && !sweep.more &&
		sweep.state !== 'running');

	link.classList.toggle('lost', error !== null && !ended);
	if (error === null)
		setText(link, 'Up to date.');
	else if (ended)
		setText(link, 'The run has ended. No answer any more: the program that ' +
			`serves this page seems to have ended too (${error.message}).`);
	else
		setText(link, `No answer for ${seconds} s (${error.message}). Retrying.`);
}

async function poll() {
	let wait = POLL_MS;
	let answered = true;

	try {
		for (const sweep of sweeps)
			answered = await ask(sweep) && answered;
		if (answered)
			answeredAt = Date.now();
		if (answered || Date.now() - answeredAt > TIMEOUT_MS)
			tell(answered ? null :
				new Error('the server is busy with other readers'));
		if (near && sweeps.some((sweep) => sweep.more || sweep.wanted))
			wait = NEAR_MS;
	} catch (error) {
		tell(error);
	}
	setTimeout(poll, document.hidden ? HIDDEN_MS : wait);
}

function start(names) {
	const main = document.getElementById('sweeps');

	sweeps = names.map((name) => new Sweep(name));
	main.classList.toggle('beside', sweeps.length > 1);
	main.replaceChildren(...sweeps.map((sweep) => sweep.section));
}

/* The page's address holds the runs' names, so that it can be bookmarked. */
function chosen() {
	const query = new URLSearchParams(location.search);
	const names = [query.get('run') || ''];

	if (query.get('beside'))
		names.push(query.get('beside'));
	return names;
}

function choose() {
	const [first, second] = [document.getElementById('first').value,
		document.getElementById('second').value];

	history.replaceState(null, '',
		`/?run=${first}${second ? `&beside=${second}` : ''}`);
	start(chosen());
}

async function fillChooser() {
	const response = await fetch('/runs');

	/* The server is busy with another reader: ask again with the next answer. */
	if (!response.ok)
		return;
	const runs = await response.json();
	const [first, second] = [document.getElementById('first'),
		document.getElementById('second')];
	const names = chosen();
	const option = (run) => new Option(`${run.id}: ${(run.started_at || '').slice(0, 16)
		.replace('T', ' ')}, ${run.visits === null ? 'many' : run.visits} ` +
		`measurement${run.visits === 1 ? '' : 's'}, ${run.state}` +
		`${run.tunnel ? `, tunnel ${run.tunnel}` : ''}`, run.uuid);

	/* A run is named as everywhere: by its id, its UUID or the UUID's beginning. */
	const named = (name) => name && (runs.find((run) => String(run.id) === name) ||
		runs.find((run) => run.uuid.startsWith(name)) || {}).uuid || '';

	first.replaceChildren(...runs.reverse().map(option));
	second.replaceChildren(new Option('none', ''), ...runs.map(option));
	first.value = names[0] ? named(names[0]) : sweeps[0].run;
	second.value = named(names[1]);
	first.addEventListener('change', choose);
	second.addEventListener('change', choose);
	document.getElementById('choose').hidden = false;
	chooser = true;
}

const drawAll = () => sweeps.forEach((sweep) => {
	sweep.drawRulers();
	sweep.draw();
});

window.addEventListener('resize', drawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
start(chosen());
poll();
