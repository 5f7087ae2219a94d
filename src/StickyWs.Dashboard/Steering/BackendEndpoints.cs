using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using StickyWs.Dashboard.Access;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Reading;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Steering;

/// <summary>Takes backends and pools out of service, brings them back, and waits until they are empty.</summary>
internal sealed class BackendEndpoints(
    IStickyWsState state, IBackendControl control, Audit audit, Waits waits, TimeProvider time, IHostApplicationLifetime lifetime)
{
    public Task BackendAsync(HttpContext context)
    {
        var (name, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        return RunAsync(context, word, _ => BackendTarget.Of(RouteNames.Exact(context, "pool", 1), name));
    }

    public Task PoolAsync(HttpContext context)
    {
        var (name, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        return RunAsync(context, word, _ => BackendTarget.Of(name));
    }

    // For names that no path can have, such as "..".
    public Task NamedAsync(HttpContext context)
        => RunAsync(context, context.GetRouteValue("action") as string ?? "",
            query => BackendTarget.Of(query.Text("pool") ?? throw query.Bad("pool", "say which"), query.Text("backend")), "pool", "backend");

    private async Task RunAsync(HttpContext context, string word, Func<Parameters, BackendTarget> find, params string[] names)
    {
        var target = "?";
        var isInForce = false;
        try
        {
            var verb = Verbs.Parse(word);
            var query = new Parameters(context.Request.Query, [.. names, .. DrainParameters.KnownOf(verb)]);
            var (backends, asked) = (find(query), new DrainParameters(query, verb));
            target = backends.ToString();
            var plan = PlanOf(backends, verb);
            if (asked.IsDryRun)
            {
                if (plan.Backends == 0) throw new ProblemException(NothingAt(backends));
                await AnswerAsync(context, word, backends, control.Read(backends), plan, isDryRun: true).ConfigureAwait(false);
                return;
            }

            using var place = asked.IsWaiting ? waits.Enter() : null;
            TryOrder(backends, verb, asked);
            isInForce = true;
            var drains = control.Read(backends);
            audit.Done(context, word, target, OutcomeOf(verb, asked, drains));
            if (asked.IsWaiting) drains = await WaitAsync(context, word, backends, asked.Timeout).ConfigureAwait(false);
            await AnswerAsync(context, word, backends, drains, plan, isDryRun: false).ConfigureAwait(false);
        }
        catch (ProblemException e) when (!isInForce)
        {
            if (!Audit.IsDry(context)) audit.Refused(context, word, target, e.Problem.Detail);
            throw;
        }
    }

    private void TryOrder(BackendTarget target, Verb verb, DrainParameters asked)
    {
        try
        {
            Order(target, verb, asked);
        }
        catch (ArgumentException e) when (e.ParamName == "settings")
        {
            throw new ProblemException(new Problem("urn:stickyws:bad-parameter", "Bad parameter", StatusCodes.Status400BadRequest,
                $"The parameters over, deadline, code and reason do not fit: {e.Message.Replace(" (Parameter 'settings')", "", StringComparison.Ordinal)}"));
        }
        catch (ArgumentException e) when (e.ParamName == "target")
        {
            throw new ProblemException(NothingAt(target));
        }
    }

    // What seems to be in force already is ordered all the same: the configuration may be about to go further, and the last word counts.
    private void Order(BackendTarget target, Verb verb, DrainParameters asked)
    {
        if (verb == Verb.Undrain)
        {
            control.Undrain(target);
            return;
        }

        if (verb == Verb.Weight)
        {
            control.SetWeight(target, asked.Weight);
            return;
        }

        using var end = new CancellationTokenSource();
        _ = verb switch
        {
            Verb.Stop => control.StopAsync(target, end.Token),
            Verb.HandOff => control.HandOffAsync(target, asked.Settings, end.Token),
            _ => control.CutAsync(target, end.Token),
        };
        end.Cancel();
    }

    // What is answered is what was found empty, and not what comes after.
    private async Task<IReadOnlyList<DrainStatus>> WaitAsync(HttpContext context, string word, BackendTarget target, TimeSpan timeout)
    {
        using var over = new CancellationTokenSource(timeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(over.Token, context.RequestAborted, lifetime.ApplicationStopping);
        IReadOnlyList<DrainStatus> ended;
        IReadOnlyList<DrainStatus> drains;
        try
        {
            do
            {
                ended = await WhenEmptyAsync(target, end.Token).ConfigureAwait(false);
                drains = control.Read(target);
            }
            while (!ended.Any(IsUndrained) && drains.Any(IsUnderWay)); // A pinned client may have come back to one that is only stopped.
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            var left = LeftOf(target);
            var tunnels = left.Sum(drain => drain.Left);
            var cause = over.IsCancellationRequested ? $"not empty in time, {tunnels} tunnels are left"
                : context.RequestAborted.IsCancellationRequested ? "nobody waits any more; it goes on" : "the application is stopping";
            audit.Done(context, word, target.ToString(), cause);
            context.RequestAborted.ThrowIfCancellationRequested();
            throw new ProblemException(over.IsCancellationRequested
                ? Problem.NotEmpty($"After {timeout.TotalSeconds} s, {tunnels} tunnels and {left.Sum(drain => drain.Requests)} requests are left. "
                    + "The drain goes on: ask again to wait on.", left)
                : Problem.Busy("The application is stopping."));
        }

        var isUndrained = ended.Any(IsUndrained);
        audit.Done(context, word, target.ToString(), isUndrained ? "cancelled by an undrain" : "empty");
        if (!isUndrained) return drains;
        throw new ProblemException(Problem.Undrained("A backend was brought back into service meanwhile.", [.. ended.Select(Translation.ToAnswer)]));
    }

    // What was removed meanwhile, and is forgotten, is empty.
    private async Task<IReadOnlyList<DrainStatus>> WhenEmptyAsync(BackendTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return await control.WhenEmptyAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException e) when (e.ParamName == "target")
        {
            return [];
        }
    }

    private static string OutcomeOf(Verb verb, DrainParameters asked, IReadOnlyList<DrainStatus> drains) => verb switch
    {
        Verb.Undrain => "back in service",
        Verb.Weight => asked.Weight is { } weight ? $"its weight is {weight}" : "its weight is what the configuration says",
        _ => $"in force, {drains.Sum(drain => drain.Left)} tunnels are left",
    };

    private Task AnswerAsync(
        HttpContext context, string word, BackendTarget target, IReadOnlyList<DrainStatus> drains, PlanAnswer plan, bool isDryRun)
    {
        var answer = new SteerAnswer(time.GetUtcNow(), word, target.ToString(), isDryRun, plan, [.. drains.Select(Translation.ToAnswer)],
            [.. BackendsOf(target).Select(Translation.ToAnswer)]);
        var isUnderWay = !isDryRun && drains.Any(IsUnderWay) && !Verbs.Parse(word).Equals(Verb.Weight);
        var status = isUnderWay ? StatusCodes.Status202Accepted : StatusCodes.Status200OK;
        return context.WriteAnswerAsync(answer, AnswerContext.Default.SteerAnswer, status);
    }

    private DrainAnswer[] LeftOf(BackendTarget target)
        => [.. control.Read(target).Where(drain => drain.Outcome == DrainOutcome.Draining).Select(Translation.ToAnswer)];

    private IEnumerable<BackendStatus> BackendsOf(BackendTarget target)
        => state.Read().Pools.SelectMany(pool => pool.Backends).Where(backend => IsOf(backend, target));

    // Of all that the order would get to, which may be more than the configuration has by now.
    private PlanAnswer PlanOf(BackendTarget target, Verb verb)
        => Plans.Of(state.ReadBackends(BackendTarget.All), [.. state.Read().Pools.Select(pool => pool.Name)], backend => IsOf(backend, target), verb);

    private static bool IsOf(BackendStatus backend, BackendTarget target)
        => Is(backend.Pool, target.Pool) && (target.Backend is null || Is(backend.Name, target.Backend));

    private Problem NothingAt(BackendTarget target)
    {
        var pools = state.Read().Pools;
        if (pools.FirstOrDefault(pool => Is(pool.Name, target.Pool)) is not { } pool)
            return Problem.NotFound($"There is no pool '{Problem.Cut(target.Pool ?? "")}'.", pools.Select(known => known.Name));
        return Problem.NotFound(
            target.Backend is { } backend ? $"Pool '{pool.Name}' has no backend '{Problem.Cut(backend)}'." : $"Pool '{pool.Name}' has no backends.",
            pool.Backends.Select(known => known.Name));
    }

    private static bool IsUnderWay(DrainStatus drain) => drain.Left > 0 || drain.Requests > 0;

    private static bool IsUndrained(DrainStatus drain) => drain.Outcome == DrainOutcome.Undrained;

    private static bool Is(string name, string? wanted) => name.Equals(wanted, StringComparison.OrdinalIgnoreCase);
}
