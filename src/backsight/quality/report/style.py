"""The page's style sheet, in the manner of the evaluation's report: light and dark, no external font."""

STYLE = """
:root { color-scheme: light dark; --ink:#1b1f24; --soft:#67707b; --page:#f6f7f9; --card:#ffffff; --line:#e1e5ea;
  --accent:#3b5bdb; --true:#0b9a6b; --warm:#c2410c; --chip:#eef1f5; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6e9ed; --soft:#98a2ad; --page:#111418; --card:#191d23;
  --line:#2b313a; --accent:#8aa4ff; --true:#3ddc9c; --warm:#fb923c; --chip:#242a32; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--page); color:var(--ink);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
main { max-width:1240px; margin:0 auto; padding:40px 24px 80px; }
h1 { font-size:34px; line-height:1.15; letter-spacing:-.02em; margin:0 0 10px; overflow-wrap:anywhere; }
h2 { font-size:23px; letter-spacing:-.01em; margin:52px 0 6px; } h3 { font-size:17px; margin:0; }
p { margin:0 0 8px; } .lead { font-size:17px; max-width:78ch; color:var(--soft); }
.note { color:var(--soft); max-width:90ch; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(175px,1fr)); gap:12px; margin:28px 0 0; }
.tile { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:14px 16px; }
.tile .label { font-size:13px; color:var(--soft); } .tile .value { font-size:29px; font-weight:680;
  letter-spacing:-.02em; line-height:1.25; font-variant-numeric:tabular-nums; }
.tile .note { font-size:12.5px; line-height:1.35; }
.tile.bad .value { color:var(--warm); } .tile.good .value { color:var(--true); }
.histograms { display:grid; grid-template-columns:repeat(3,1fr); gap:12px; margin-top:12px; }
.histogram { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:10px 12px; margin:0; }
.histogram figcaption { display:flex; justify-content:space-between; font-size:13px; color:var(--soft); }
.histogram b { color:var(--ink); font-weight:650; } .histogram svg { width:100%; height:auto; display:block; }
.histogram text { font-size:10px; fill:var(--soft); } .histogram .fill { fill:var(--accent); }
.histogram .low { fill:var(--warm); } .histogram .axis { stroke:var(--line); stroke-width:1; }
.histogram .limit { stroke:var(--warm); stroke-width:1; stroke-dasharray:3 3; }
.table { overflow-x:auto; margin:12px 0 4px; border:1px solid var(--line); border-radius:12px; background:var(--card); }
table { border-collapse:collapse; width:100%; font-size:13.5px; font-variant-numeric:tabular-nums; }
th,td { padding:7px 12px; text-align:right; border-top:1px solid var(--line); vertical-align:top; }
thead th { border-top:0; color:var(--soft); font-weight:600; } tbody th { font-weight:600; white-space:nowrap; }
th:first-child, td.words, th.words { text-align:left; } tr.part th { font-weight:400; padding-left:30px;
  color:var(--soft); } td.words { overflow-wrap:anywhere; }
.pair { display:grid; grid-template-columns:repeat(auto-fit,minmax(420px,1fr)); gap:16px; align-items:start; }
.walk { background:var(--card); border:1px solid var(--line); border-radius:14px; padding:18px 22px 20px;
  margin:18px 0 0; } .walk header { display:flex; flex-wrap:wrap; justify-content:space-between; gap:6px 16px;
  align-items:baseline; } .walk header p { margin:0; color:var(--soft); }
.chip { display:inline-block; background:var(--chip); border-radius:999px; padding:1px 10px; font-size:12.5px;
  margin:0 0 0 6px; white-space:nowrap; } .chip.low { background:var(--warm); color:#fff; }
.chip.good { background:var(--true); color:#fff; }
@media (prefers-color-scheme: dark) { .chip.low,.chip.good { color:#10131a; } }
.reason { margin:8px 0 2px; font-weight:600; overflow-wrap:anywhere; }
.film { display:grid; grid-template-columns:repeat(8,1fr); gap:5px; padding:10px 0 4px; }
.film figure { margin:0; } .film img { width:100%; display:block; border-radius:4px 4px 0 0; }
.film img + img { border-radius:0 0 4px 4px; } .film figcaption { text-align:center; font-size:11.5px;
  color:var(--soft); } .film .wrong figcaption { color:var(--warm); font-weight:650; }
.film .wrong { outline:2px solid var(--warm); outline-offset:1px; border-radius:4px; }
.findings { margin:6px 0 0; padding-left:18px; font-size:13.5px; color:var(--soft); overflow-wrap:anywhere; }
.findings b { color:var(--ink); font-weight:600; }
@media (max-width:900px) { .film { grid-template-columns:repeat(4,1fr); } .histograms { grid-template-columns:1fr; }
  main { padding:24px 14px 60px; }
  .pair { grid-template-columns:1fr; } }
@media print { body { background:#fff; } .walk,.tile { break-inside:avoid; } }
"""
