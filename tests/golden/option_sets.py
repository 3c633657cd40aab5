"""Forty named option sets of `emseg segment`, as typed on the command line.

All values are those of 0.1.0, but for `bias-field`: since then a gain must explain more than the classes alone do, and
two classes must show it.
Words in braces name a companion of the image, see `inputs.prepare`. Together the sets use every algorithm, family,
covariance model, feature, field and kind of `--save`.
"""

from __future__ import annotations

from typing import Final

_SETS: Final[dict[str, str]] = {
    "plain": "-k 4",
    "em": "-k 3 --algorithm em --covariance full --tol 1e-7 --save labels-tiff",
    "map-tied": "-k 4 --algorithm map --features rgb --covariance tied",
    "gem-diag": "-k 3 --algorithm gem --features bands --covariance diag --tol 1e-6",
    "ecm-VEI": "-k 3 --algorithm ecm --covariance VEI",
    "ecme-VVE": "-k 3 --algorithm ecme --family student --dof common --covariance VVE --tol 1e-7 --max-iter 5000",
    "sage-EII": "-k 2 --algorithm sage --covariance EII --denoise 6",
    "aitken-EEI": "-k 4 --algorithm aitken --features gray --covariance EEI --denoise auto",
    "cg-EVI": "-k 3 --algorithm cg --covariance EVI --init kmeans++",
    "squarem-VEE": "-k 3 --algorithm squarem --features auto,xy:0.5 --covariance VEE",
    "anderson-map": "-k 4 --algorithm anderson --base map --option order=3 --restarts 2",
    "px-EVE": "-k 3 --algorithm px --family student --dof 6 --covariance EVE",
    "vb": "-k 2:6 --algorithm vb --criterion elbo --tol 1e-8",
    "cem-VVI": "-k 2:4 --criterion icl --algorithm cem --covariance VVI",
    "sem-EEE": "-k 3 --algorithm sem --covariance EEE --seed 1",
    "saem": "-k 2 --algorithm saem --seed 2",
    "mcem": "-k 2 --algorithm mcem --features gray --seed 3 --max-iter 60",
    "daem-EEV": "-k 3 --algorithm daem --covariance EEV",
    "incremental-VEV": "-k 3 --algorithm incremental --covariance VEV --option blocks=4",
    "online-VII": "-k 3 --algorithm online --covariance VII",
    "student": "-k 2:4 --criterion aic --family student --covariance EVV --noise --tol 1e-8",
    "gamma": "-k 3 --family gamma --features bands --mask {positive}",
    "poisson": "-k 3 --family poisson --features bands --algorithm squarem",
    "von-mises": "-k 3 --family von-mises --features hue --floor 1e-4",
    "chroma": "-k 3 --features chroma,hsv:0.5",
    "texture": "-k 2 --features gray,texture --covariance spherical --floor 1e-4",
    "choose-auto": "-k auto --save mean,model",
    "choose-bic": "-k 2:5 --criterion bic --covariance VVV --noise",
    "choose-mml": "-k 1:6 --criterion mml --mask {ellipse} --tol 1e-8",
    "gibbs": "-k 3 --mrf auto --covariance EEE --seed 4",
    "mean-field": "-k 3 --mrf mean-field --beta 1.5 --neighbours 8 --save posterior,entropy",
    "icm": "-k 3 --mrf icm --contrast",
    "graph-cut": "-k 3 --mrf graph-cut --neighbours 4 --covariance EEV --regions 30 --merge auto",
    "partial-volume": "-k 3 --partial-volume --mrf mean-field --covariance EEI --save fractions",
    "bias-field": "-k 3 --bias-field --covariance EEE --save bias",
    "regions-merge": "-k 5 --regions 20 --merge 1 --save geojson,coco",
    "regions-auto": "-k auto --regions auto --init random",
    "missing": "-k 3 --missing em --mask {holes} --censored 10,245",
    "truncated": "-k 2 --truncated 20,235 --mask {inside} --init {thirds}",
    "marks": "-k 3 --scribbles {scribbles} --prior-map {prior} --mrf mean-field --covariance EVI --save all",
}
#: The floor of 0.1.0, which was its default: a floor that is given is what it was.
FLOOR: Final = "--floor 1e-11"
SETS: Final = {name: text if "--floor" in text else f"{text} {FLOOR}" for name, text in _SETS.items()}
#: Largest relative difference of the log-likelihood, where rounding grows: processors differ by 1e-4 where an image is
#: divided by a gain, by 1e-5 where it is denoised, and by 3e-5 under a field, which is summed in single precision. ECME
#: crawls along ν: its end depends on the stopping rule, which looks at rounding. A drawn label may change altogether.
#: All other sets differ by less than 2e-7.
TOLERANCES: Final[dict[str, float]] = {
    **dict.fromkeys(("sem-EEE", "saem", "mcem", "gibbs", "bias-field", "sage-EII", "aitken-EEI"), 1e-3),
    **dict.fromkeys(("mean-field", "icm", "graph-cut", "marks"), 2e-4),
    "ecme-VVE": 1e-4,
}
