"""The page's style sheet: light and dark, no external font."""

STYLE = """
:root { color-scheme: light dark; --ink:#1b1f24; --soft:#67707b; --page:#f6f7f9; --card:#ffffff; --line:#e1e5ea;
  --accent:#3b5bdb; --true:#0b9a6b; --warm:#c2410c; --chip:#eef1f5; --good:#e9f7f0; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6e9ed; --soft:#98a2ad; --page:#111418; --card:#191d23;
  --line:#2b313a; --accent:#8aa4ff; --true:#3ddc9c; --warm:#fb923c; --chip:#242a32; --good:#173327; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--page); color:var(--ink);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
main { max-width:1240px; margin:0 auto; padding:40px 24px 80px; }
h1 { font-size:34px; line-height:1.15; letter-spacing:-.02em; margin:0 0 10px; }
h2 { font-size:23px; letter-spacing:-.01em; margin:56px 0 6px; }
h3 { font-size:17px; margin:0; } h4 { font-size:15px; margin:26px 0 8px; }
p { margin:0 0 8px; } .lead { font-size:17px; max-width:78ch; color:var(--soft); }
.soft { color:var(--soft); font-weight:400; } .note { color:var(--soft); max-width:90ch; }
b { font-weight:650; } img { display:block; max-width:100%; height:auto; border-radius:6px; }
figure { margin:0; } figcaption { font-size:12.5px; color:var(--soft); padding-top:3px; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(175px,1fr)); gap:12px; margin:28px 0 0; }
.tile { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:14px 16px; }
.tile .label { font-size:13px; color:var(--soft); } .tile .value { font-size:29px; font-weight:680;
  letter-spacing:-.02em; line-height:1.25; font-variant-numeric:tabular-nums; }
.tile .note { font-size:12.5px; line-height:1.35; }
.walk { background:var(--card); border:1px solid var(--line); border-radius:14px;
  padding:20px 22px 22px; margin:18px 0 0; }
.walk header { display:flex; flex-wrap:wrap; justify-content:space-between; gap:6px 16px; align-items:baseline; }
.walk header p { margin:0; }
.chip { display:inline-block; background:var(--chip); border-radius:999px; padding:1px 10px; font-size:12.5px;
  margin-left:6px; white-space:nowrap; } .chip i { display:inline-block; width:10px; height:10px; border-radius:3px;
  margin-right:6px; vertical-align:-1px; border:1px solid var(--line); }
.chip.worst,.chip.absent { background:var(--warm); color:#fff; } .chip.best { background:var(--true); color:#fff; }
.chip.median,.chip.random { background:var(--accent); color:#fff; }
@media (prefers-color-scheme: dark) { .chip.worst,.chip.absent,.chip.best,.chip.median,.chip.random { color:#10131a; } }
.film { display:grid; grid-template-columns:repeat(12,1fr); gap:5px; padding:14px 0 10px; }
.film img { width:100%; border-radius:4px; border:2px solid transparent; }
.film .drawn img { border-color:var(--accent); } .film .now img { border-color:var(--true); }
.film figcaption { text-align:center; font-size:11.5px; } .film figcaption i { font-style:normal; font-size:10px;
  background:var(--chip); border-radius:4px; padding:0 4px; }
.facing { display:grid; grid-template-columns:1.22fr 1fr; gap:14px; align-items:start; margin:8px 0 14px; }
.beside { display:grid; gap:14px; } .view img { width:100%; }
.key { display:grid; grid-template-columns:1fr; gap:2px; max-width:90ch; margin-top:10px; }
.bar { display:flex; align-items:center; gap:8px; max-width:300px; font-size:12.5px; margin:10px 0 2px; }
.bar i { flex:1; height:12px; border-radius:6px; background:linear-gradient(90deg,#000004,#1b0c41,#4a0c6b,#781c6d,
  #a52c60,#cf4446,#ed6925,#fb9b06,#f7d13d,#fcffa4); }
.cards { display:grid; grid-template-columns:repeat(auto-fill,minmax(500px,1fr)); gap:14px; }
.card { border:1px solid var(--line); border-radius:10px; padding:10px 10px 8px; }
.triple { display:grid; grid-template-columns:repeat(3,1fr); gap:6px; } .triple img { width:100%; }
.caption { display:flex; gap:12px; align-items:center; padding-top:6px; font-size:13px; }
.caption p { margin:0; } .compass { flex:0 0 auto; }
.dial { fill:none; stroke:var(--line); stroke-width:1.5; } .ahead { fill:var(--chip); } .hub { fill:var(--soft); }
path.true { stroke:var(--true); fill:var(--true); stroke-width:3.4; stroke-linecap:round; opacity:.85; }
path.predicted { stroke:var(--accent); fill:var(--accent); stroke-width:2; stroke-linecap:round; }
.instruction { border-top:1px solid var(--line); padding-top:12px; margin-top:12px; }
.quote { font-size:16px; font-weight:600; } .quote .chip { font-weight:400; vertical-align:1px; }
.views { display:grid; grid-auto-flow:column; grid-auto-columns:minmax(150px,260px); gap:10px; overflow-x:auto; }
.stack { position:relative; margin-bottom:4px; } .stack img { width:100%; }
.tag { position:absolute; left:6px; bottom:6px; background:rgba(10,12,16,.68); color:#fff; font-size:11px;
  line-height:1.4; border-radius:4px; padding:0 6px; } .faded { opacity:.45; filter:grayscale(1); }
.table { overflow-x:auto; margin:8px 0 4px; border:1px solid var(--line); border-radius:12px; background:var(--card); }
table { border-collapse:collapse; width:100%; font-size:13.5px; font-variant-numeric:tabular-nums; }
th,td { padding:7px 10px; text-align:right; white-space:nowrap; border-top:1px solid var(--line); }
thead th { border-top:0; color:var(--soft); font-weight:600; white-space:normal; vertical-align:bottom; }
th:first-child { text-align:left; font-weight:500; } tbody th { white-space:pre; } td small { display:block;
  color:var(--soft); font-size:11px; line-height:1.2; } td.best { background:var(--good); font-weight:680; }
td small { font-weight:400; } td.oracle,td.count { color:var(--soft); } td.model { font-weight:620; }
td.none { color:var(--line); } h3.group { margin:24px 0 4px; }
.curves { display:grid; grid-template-columns:repeat(auto-fill,minmax(280px,1fr)); gap:14px; margin-top:10px; }
.curve { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:10px 12px; }
.curve figcaption { display:flex; justify-content:space-between; }
.curve svg { width:100%; height:auto; display:block; }
.curve text { font-size:11px; fill:var(--soft); } .grid { stroke:var(--line); stroke-width:1; fill:none; }
.line { stroke:var(--accent); stroke-width:2; fill:none; stroke-linejoin:round; } .end { fill:var(--accent); }
.facts { display:grid; grid-template-columns:max-content 1fr; gap:4px 22px; font-size:14px; }
.facts dt { color:var(--soft); } .facts dd { margin:0; overflow-wrap:anywhere; }
@media (max-width:900px) { .cards { grid-template-columns:1fr; } .film { grid-template-columns:repeat(6,1fr); }
  main { padding:24px 14px 60px; } .facing { grid-template-columns:1fr; } }
@media print { body { background:#fff; } .walk,.card,.tile { break-inside:avoid; } }
"""
