(() => {
  const controls = document.querySelector('.filters'), items = [...document.querySelectorAll('#items > details')];
  const [which, criterion, words, count] = ['which', 'criterion', 'words', 'count'].map(id => document.getElementById(id));
  const about = item => which.value === 'disagree' ? item.dataset.disagree : item.dataset.failed;
  const wanted = item => {
    if (which.value) {
      const names = about(item).split(' ').filter(Boolean);
      if (!(criterion.value ? names.includes(criterion.value) : names.length)) return false;
    }
    return !words.value || item.textContent.toLowerCase().includes(words.value.toLowerCase());
  };
  const show = () => {
    let shown = 0;
    for (const item of items) { item.hidden = !wanted(item); shown += item.hidden ? 0 : 1; }
    criterion.disabled = !which.value;
    count.textContent = shown + ' of ' + items.length + ' items';
  };
  controls.hidden = false;
  for (const control of [which, criterion]) control.addEventListener('change', show);
  words.addEventListener('input', show);
  show();
  const folded = [];
  addEventListener('beforeprint', () => {
    for (const part of document.querySelectorAll('details:not([open]):not(#items > details)')) { folded.push(part); part.open = true; }
  });
  addEventListener('afterprint', () => { for (const part of folded.splice(0)) part.open = false; });
})();
