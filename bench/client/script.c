/*
 * script.c
 *		The file that defines a purchase, with one line per round trip.
 *
 *		SELECT buy(:user, :item)			a statement, which is prepared
 *		\each SELECT buy(:user, :item)		the same for each item of the cart
 *		\redis GET :item					a command for Redis
 *
 * A statement that returns no row, or a 0 from Redis, is a refusal.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char *const names[VARIABLES] = { "user", "item", "items", "lines", "last", "next" };

/* The variable whose name starts at text; *length is the length of the name. */
static Variable
variable_at(const char *text, size_t *length)
{
	*length = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	for (int i = 0; i < VARIABLES; i++)
		if (strlen(names[i]) == *length && strncmp(names[i], text, *length) == 0)
			return i;
	die("unknown variable :%.*s", (int) *length, text);
}

/* The number of a variable among the parameters of the step; it is added if new. */
static int
parameter_number(Step *step, Variable variable)
{
	for (int i = 0; i < step->nparameters; i++)
		if (step->parameters[i] == variable)
			return i + 1;
	if (step->nparameters == MAX_PARAMETERS)
		die("too many parameters");
	step->parameters[step->nparameters++] = variable;
	return step->nparameters;
}

/* Copy a statement with $n for variables.  A double colon is a cast. */
static char *
with_parameters(Step *step, const char *text)
{
	char *result = malloc(2 * strlen(text) + 16), *to = result;

	if (result == NULL)
		die("out of memory");
	while (*text)
	{
		size_t length;

		if (text[0] == ':' && islower((unsigned char) text[1]))
		{
			Variable variable = variable_at(text + 1, &length);

			to += sprintf(to, "$%d", parameter_number(step, variable));
			text += 1 + length;
			continue;
		}
		if (text[0] == ':')
			*to++ = *text++;
		*to++ = *text++;
	}
	*to = '\0';
	return result;
}

/* Skip the word if the text starts with it. */
static bool
skip_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

void
read_script(Script *script, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (file == NULL)
		die("cannot open %s: %m", path);
	while ((length = getline(&line, &size, file)) > 0)
	{
		const char *text = line;
		Step *step = &script->steps[script->nsteps];

		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (length == 0)
			continue;
		if (++script->nsteps > MAX_STEPS)
			die("%s: too many steps", path);
		step->each = skip_word(&text, "\\each ");
		step->redis = skip_word(&text, "\\redis ");
		step->text = with_parameters(step, text);
	}
	free(line);
	fclose(file);
	if (script->nsteps == 0)
		die("%s: no steps", path);
}
