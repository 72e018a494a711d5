// What the forms offer to begin with.

export const defaultPatience = '10 minutes';

export const complaints: Readonly<Record<string, string>> = {
  'A-1001': 'The lamp flickers every evening, and I have tried three bulbs. I would like my money back.',
  'A-1002': 'The bedding shrank in the first wash although I followed the label.',
  'A-1003': 'The lid of the teapot arrived chipped. I only opened the box now, sorry for the delay.',
};

export const sampleText = `The lighthouse keeper wrote everything down. When the lamp was lit, when the wind turned, when a ship passed: each line was in the logbook before the next thing was begun. It was not love of order. A keeper before him had fallen asleep, and when he woke, nobody could say whether the lamp had burned.
So the rule was simple. What is in the logbook has happened. What is not in the logbook may be done again. A lamp that is lit twice harms nobody, but a lamp that everybody believes to be lit is how ships are lost.
In the third winter a storm took the keeper from the gallery. The relief keeper rowed over in the morning, climbed the stairs, opened the logbook, and read. Lamp lit at five. Oil filled at nine. Wind north by northwest at eleven. There was no line for midnight. So she filled the oil, trimmed the wick, and wrote: midnight, oil filled, wick trimmed.
The captains never noticed. From the sea, there had been one light, and it had burned all night. What they would have called reliability was a habit of writing things down before moving on.
Years later the tower was fitted with an electric lamp, and the logbook went to a museum. Visitors turn its pages and find them dull. The relief keeper, who is very old now, says that dullness was the point. Every exciting page in a logbook is a page on which somebody forgot to write.
She has a saying for the young keepers who visit her. Do one thing. Write it down. Do the next. If you fall, whoever comes after you will know where to stand.`;
