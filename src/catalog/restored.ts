/**
 * An expression of PostgreSQL's as it reads after a dump and restore. Its parser does two things to an expression that it
 * has printed, and so to one that was dumped: it casts each element of an array in the place of the array, and makes one
 * list of `(a and b) and c`.
 */
export function asRestored(printed: string): string {
  // What is in quotes or brackets is put aside, the innermost first, so that no comma or bracket is within another.
  const aside: string[] = []
  const put = (text: string) => `\0${aside.push(text) - 1}\0`
  const take = (place: string) => aside[Number(place)] ?? ''
  const castEach = (list: string, type: string): string => {
    const elements = take(list).slice(1, -1).split(', ')
    const cast = elements.map(element => {
      const nested = /^ARRAY\0(\d+)\0$/.exec(element)?.[1]
      return nested ? castEach(nested, type) : `${put(`(${element})`)}::${type}`
    })
    return `ARRAY${put(`[${cast.join(', ')}]`)}`
  }

  let text = printed.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, put)
  for (let before = ''; text !== before; ) {
    before = text
    text = text
      .replace(/\(ARRAY\0(\d+)\0\)::((?:[a-z]|\0)[^()[\],]*?)\[\]/g, (_, list, type) => castEach(list, type))
      .replace(/\((?:[^()[\]]|\[\])*\)|\[[^()[\]]+\]/g, group => put(flatten(group, take)))
  }
  while (text.includes('\0')) text = text.replace(/\0(\d+)\0/g, (_, place) => take(place))
  return text
}

function flatten(group: string, take: (place: string) => string): string {
  const [first = '', place = '', verb = ''] = /^\(\0(\d+)\0 (AND|OR) /.exec(group) ?? []
  const inner = take(place)
  const isSame = inner.startsWith('(') && inner.includes(` ${verb} `)
  return first && isSame ? `(${inner.slice(1, -1)} ${verb} ${group.slice(first.length)}` : group
}
